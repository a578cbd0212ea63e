"""The files and folders that a command line names, by path or by pattern, and what is skipped in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from haleganada_client.cli.formatting import format_count, printable
from haleganada_client.labeled.image_files import count_other_files

_LINKS_SHOWN = 20


def find_matches(name: str) -> list[Path]:
    """Return the file or folder of that name, or else everything that matches it as a pattern, which may be nothing;
    "-" is standard input. Raise click.UsageError for an empty name, which would stand for the working directory.
    """
    if not name:
        raise click.UsageError("a file's name is empty; is a variable of your script not set?")
    path = Path(name)
    if name == "-" or path.exists():
        return [path]
    try:
        return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    except (ValueError, NotImplementedError):  # no pattern, either
        return []


def expand_paths(names: Sequence[str]) -> list[Path]:
    """Return the files and folders that several names stand for, see find_matches.

    A name that matches nothing becomes a path without a file, which does not keep the others from being used; raise
    click.UsageError if all are so.
    """
    found = [find_matches(name) for name in names]
    if names and not any(found):
        raise _no_file(names[0])
    return [path for name, matches in zip(names, found, strict=True) for path in matches or [Path(name)]]


def _no_file(name: str) -> click.UsageError:
    return click.UsageError(f"there is no file {printable(name)}")


def report_other_files(folders: Iterable[Path]) -> None:
    """Say on stderr how many files in the folders are skipped because they are no images."""
    if others := sum(count_other_files(folder) for folder in folders):
        click.echo(f"{format_count(others, 'file')} skipped: no images", err=True)


def report_links(folder: Path) -> None:
    """Say on stderr which symbolic links in a folder are skipped."""
    from haleganada_client.wire.packing import list_links  # imports zipfile, which is slow and which few commands need

    if links := list_links(folder):
        shown = ", ".join(printable(name) for name in links[:_LINKS_SHOWN])
        more = f" and {len(links) - _LINKS_SHOWN:,} more" if len(links) > _LINKS_SHOWN else ""
        skipped = f"{format_count(len(links), 'link')} skipped: {shown}{more}"
        click.echo(f"{skipped}; copy the files and folders themselves there", err=True)
