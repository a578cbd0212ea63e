"""The files and folders that a command line names, by path or by pattern, and what is skipped in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from haleganada_client.cli.formatting import format_count, printable

from .label_folders import count_other_files

_LINKS_SHOWN = 20


def expand_path(name: str) -> list[Path]:
    """Return the file or folder of that name, or else everything that matches it as a pattern; "-" is standard input.

    Raise click.UsageError if nothing matches.
    """
    path = Path(name)
    if name == "-" or path.exists():
        return [path]
    matches = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    if not matches:
        raise click.UsageError(f"there is no file {printable(name)}")
    return matches


def report_other_files(folders: Iterable[Path]) -> None:
    """Say on stderr how many files in the folders are skipped because they are no images."""
    if others := sum(count_other_files(folder) for folder in folders):
        click.echo(f"{format_count(others, 'file')} skipped: not PNG, JPEG or WebP", err=True)


def report_links(folder: Path) -> None:
    """Say on stderr which symbolic links in a folder are skipped."""
    from haleganada_client.packing import list_links  # imports zipfile, which is slow and which few commands need

    if links := list_links(folder):
        shown = ", ".join(printable(name) for name in links[:_LINKS_SHOWN])
        more = f" and {len(links) - _LINKS_SHOWN:,} more" if len(links) > _LINKS_SHOWN else ""
        skipped = f"{format_count(len(links), 'link')} skipped: {shown}{more}"
        click.echo(f"{skipped}; copy the files and folders themselves there", err=True)
