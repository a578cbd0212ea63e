"""Where a command writes a picture: a path that says what it will be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from haleganada_client.cli.layout import printable


class PngFile(click.Path):
    """A path that ends with .png, since a PNG is what is written there, whatever the name says."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As a Path. Fails with what to call the file instead."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if path.suffix.lower() != ".png":
            instead = printable(str(path.with_suffix(".png") if path.suffix else f"{path}.png"))
            self.fail(f"a PNG is written, so call it {instead}", param, ctx)
        return path
