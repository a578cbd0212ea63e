"""The path of a PNG file that a command writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from haleganada_client.cli.formatting import printable


class PngPath(click.Path):
    """A path that must end with .png, since the file will be a PNG whatever its name."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a Path. Fail with a better name if the ending is another one."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if path.suffix.lower() != ".png":
            better = printable(str(path.with_suffix(".png") if path.suffix else f"{path}.png"))
            self.fail(f"the file will be a PNG; call it {better}", param, ctx)
        return path
