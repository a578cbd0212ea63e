"""Which files the words of a command line mean: names, patterns that the shell has not expanded, and folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from haleganada_client.cli.layout import counted, printable

from .folders import others_below

_LINKS_SHOWN = 20


def matching(name: str) -> list[Path]:
    """The file or folder of that name, else everything that it names as a pattern. "-", standard input, is a name, too.

    Raises click.UsageError where there is nothing.
    """
    path = Path(name)
    found = (
        [path] if name == "-" or path.exists() else sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    )
    if not found:
        raise click.UsageError(f"there is no file {printable(name)}")
    return found


def tell_of_others(folders: Iterable[Path]) -> None:
    """Say on stderr how many files in folders are no pictures that can be read."""
    if others := sum(others_below(folder) for folder in folders):
        click.echo(f"{counted(others, 'file')} skipped: not PNG, JPEG or WebP", err=True)


def tell_of_links(folder: Path) -> None:
    """Say on stderr which links in a folder are not sent along."""
    from haleganada_client.packing import links_below  # zipfile takes its time, and few commands need it

    if links := links_below(folder):
        shown = ", ".join(printable(name) for name in links[:_LINKS_SHOWN])
        more = f" and {len(links) - _LINKS_SHOWN:,} more" if len(links) > _LINKS_SHOWN else ""
        what = f"{counted(len(links), 'link')} skipped: {shown}{more}"
        click.echo(f"{what}; put the folders and files themselves there", err=True)
