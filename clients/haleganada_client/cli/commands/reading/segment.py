"""segment: pictures of the lines, words and glyphs of a document."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haleganada_client.cli.files.documents import find_documents
from haleganada_client.cli.files.new_files import publish_folder, temporary_neighbor
from haleganada_client.cli.formatting import format_count, printable
from haleganada_client.cli.session import Session, with_session

from .options import reading_options
from .results import export
from .run import DocumentRun

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.reading.types import DocumentReading, PageReading


@click.command("segment")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--out",
    "-o",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder to write to; it must be new or empty.",
)
@click.option("--no-text", is_flag=True, help="Do not read the text, which is faster.")
@reading_options
@with_session
def segment_command(session: Session, file: str, out: Path, no_text: bool, **choices: Any) -> None:
    """Find the lines, words and glyphs of FILE, an image or a PDF, or - for standard input.

    DIR gets a picture of each, an overlay of each page that shows where they are, and manifest.json, which lists them
    in reading order with their text. It appears when it is complete.

    \b
    haleganada segment letter.jpg --out letter/
    """
    if out.exists() and any(out.iterdir()):
        raise click.UsageError(f"{printable(str(out))} is not empty; name a new folder with --out")
    run = DocumentRun(session, find_documents([file]), _Crops(session, out))
    progress = run.read(segment_only=no_text, **choices)
    if progress.exit_code:
        sys.exit(progress.exit_code)


class _Crops:
    """Unpacks the pictures of the only document."""

    needs_export = True

    def __init__(self, session: Session, folder: Path) -> None:
        self._session = session
        self._folder = folder
        self._count = {"pages": 0, "lines": 0, "words": 0, "glyphs": 0}
        self._files = 0

    def take_page(self, index: int, page: PageReading) -> None:
        del index
        self._count["pages"] += 1
        self._count["lines"] += len(page.lines)
        self._count["words"] += len(page.words)
        self._count["glyphs"] += len(page.glyphs)

    def take_document(self, client: HaleganadaClient, done: DocumentReading) -> None:
        from haleganada_client.cli.files.unpacking import unpack  # imports zipfile, which is slow

        if done.error is not None:
            return
        with tempfile.TemporaryFile(prefix="haleganada-") as archive, temporary_neighbor(self._folder) as temporary:
            export(client, done, "crops", archive, keep=False)
            self._files = len(unpack(archive, temporary))
            publish_folder(temporary, self._folder)

    def finish(self) -> None:
        if not self._files:
            return
        count = {**self._count, "files": self._files, "output": str(self._folder)}
        parts = [format_count(number, name.removesuffix("s")) for name, number in self._count.items() if number]
        self._session.show(count, f"wrote {', '.join(parts)} to {printable(str(self._folder))}")
