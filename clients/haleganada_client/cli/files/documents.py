"""The documents that a command line names, and a name for what is made of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from haleganada_client.cli.formatting import format_count
from haleganada_client.labeled.image_files import iter_files

from .paths import find_matches

DOCUMENT_SUFFIXES = (
    ".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".jp2", ".ppm", ".pgm", ".pbm",
)  # fmt: skip
STDIN = Path("-")
_MAX_NAME_BYTES = 200  # of the 255 that file systems allow; an ending follows, and a temporary name is longer


@dataclass(frozen=True)
class FoundDocument:
    """A file to read. stem: where the result goes below an output folder, without the ending of its format."""

    path: Path
    stem: Path

    @property
    def shown(self) -> str:
        """What people call it."""
        return "standard input" if self.path == STDIN else str(self.path)


def find_documents(names: Sequence[str], out: Path | None = None) -> list[FoundDocument]:
    """Return the documents that are named by their paths, by folders, by patterns, or by "-", each once.

    Of folders, only images and PDFs count, also those in subfolders, in the order of the numbers in their names; say on
    stderr how many other files there are. The results of an earlier command in a subfolder `out` do not count. A name
    without a file is returned as well: reading it will fail, which does not keep others from being read.
    """
    found: dict[Path, Path] = {}
    others = 0
    for path in (path for name in names for path in find_matches(name) or [Path(name)]):
        if path.is_dir():
            inside = [file for file in iter_files(path) if out is None or out == path or out not in file.parents]
            inside.sort(key=lambda file: [_numbers_as_such(part) for part in file.parts])
            documents = [file for file in inside if file.suffix.lower() in DOCUMENT_SUFFIXES]
            others += len(inside) - len(documents)
            found.update((file, file.relative_to(path)) for file in documents)
        else:
            found[path] = Path("stdin") if path == STDIN else Path(path.name)
    if others:
        click.echo(f"{format_count(others, 'file')} skipped: neither images nor PDFs", err=True)
    stems = _name_results(list(found.values()))
    return [FoundDocument(path, stem) for path, stem in zip(found, stems, strict=True)]


def _numbers_as_such(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts page2 before page10."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"([0-9]+)", name)]


def _name_results(inner_paths: Sequence[Path]) -> list[Path]:
    """Return a path without ending for the result of each document, no two alike on any file system.

    It is the document's own without its ending, page.png → page, unless that would be the same as another's; then it
    keeps the ending, and gets a number if that does not help.
    """
    plain = [_make_safe(path.with_suffix("")) for path in inner_paths]
    how_many = Counter(map(_fold, plain))
    taken: set[str] = set()
    names = []
    for path, short in zip(inner_paths, plain, strict=True):
        name = short if how_many[_fold(short)] == 1 else _make_safe(path)
        names.append(next(name for name in _number(name) if _fold(name) not in taken))
        taken.add(_fold(names[-1]))
    return names


def _number(name: Path) -> Iterator[Path]:
    yield name
    number = 2
    while True:
        yield name.with_name(f"{name.name}-{number}")
        number += 1


def _fold(path: Path) -> str:
    return str(path).casefold()


def _make_safe(path: Path) -> Path:
    """Replace what would disguise a file's name, and shorten names to which no ending could be added."""
    return Path(*(_make_name_safe(part) for part in path.parts))


def _make_name_safe(name: str) -> str:
    shown = "".join(char if char.isprintable() or char in "\u200c\u200d" else "_" for char in name)
    return shown.encode("utf-8", "replace")[:_MAX_NAME_BYTES].decode("utf-8", "ignore").rstrip(". ") or "_"
