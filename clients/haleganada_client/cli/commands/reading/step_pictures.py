"""Pictures of the preparation, for people who want to see what it does (`read --debug`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haleganada_client.cli.files.documents import FoundDocument
from haleganada_client.cli.files.new_files import publish, temporary_neighbor, write_whole

if TYPE_CHECKING:
    from haleganada_client.reading.types import PageReading


class StepPictures:
    """Writes pictures to a folder, for example as scan-page-3/2-skew.png. Older ones of the same name are replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, document: FoundDocument, page: PageReading) -> None:
        """Write the pictures of one page. Raise OSError."""
        stem = self._folder / document.stem
        pictures = stem.with_name(f"{stem.name}-page-{page.page}")
        for number, picture in enumerate(page.step_pictures, 1):
            step = "".join(char if char.isalnum() else "-" for char in picture.step)
            target = pictures / f"{number}-{step}.png"
            with temporary_neighbor(target) as temporary:
                write_whole(temporary, picture.image)
                publish(temporary, target, overwrite=True)
