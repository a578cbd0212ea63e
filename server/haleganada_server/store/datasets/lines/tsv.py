"""lines.tsv: a row for each line, with the path of its picture, its text, and what tells whose it is, parted by tabs.

A first row may name the columns, in any order: path (name, file, image), text (transcription), group (writer, hand,
document, page), part (split). Without it, they are path, text and group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from haleganada_server.core.errors import InvalidInput

from ..sources import RefusedSource, SourceItem
from ..sources.file_tree import Tree
from ..sources.source_item import parse_part
from .pictures import check_text

NAMES = frozenset({"lines.tsv", "words.tsv"})
_MAX_BYTES = 512 * 2**20
_COLUMNS = {
    **dict.fromkeys(("path", "name", "file", "filename", "image"), "path"),
    **dict.fromkeys(("text", "transcription"), "text"),
    **dict.fromkeys(("writer", "hand", "document", "page", "group"), "group"),
    **dict.fromkeys(("part", "split"), "part"),
}
_USUAL = ("path", "text", "group")


def read(tree: Tree) -> Iterator[SourceItem | RefusedSource]:
    """Yield the lines of all tables. Raises InvalidInput without any, and for one that is not UTF-8."""
    names = tree.names()
    tables = [name for name in names if PurePosixPath(name).name.lower() in NAMES]
    tables = tables or [name for name in names if name.lower().endswith(".tsv")]
    if not tables:
        raise InvalidInput("file", "has no lines.tsv; write one with a picture's path, a tab and its text in each row")
    known = set(names)
    for table in tables:
        yield from _read_table(tree, table, known)


def _read_table(tree: Tree, table: str, known: set[str]) -> Iterator[SourceItem | RefusedSource]:
    try:
        rows = tree.read(table, _MAX_BYTES).decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise InvalidInput("file", f"has a {table} that is not UTF-8; save it as UTF-8") from None
    columns = _find_columns(rows[0].rstrip("\r").split("\t"))
    folder = PurePosixPath(table).parent
    for number, row in enumerate(rows[columns is not None :], start=1 + (columns is not None)):
        if row.strip():
            fields = dict(zip(columns or _USUAL, row.rstrip("\r").split("\t"), strict=False))
            yield _read_row(tree, f"{table}:{number}", fields, folder, known)


def _find_columns(cells: Sequence[str]) -> list[str] | None:
    """Return what the columns have; None if the first row names none."""
    named = [_COLUMNS.get(cell.strip().lower(), "") for cell in cells]
    return named if "path" in named and "text" in named else None


def _read_row(
    tree: Tree, place: str, fields: dict[str, str], folder: PurePosixPath, known: set[str]
) -> SourceItem | RefusedSource:
    path = fields.get("path", "").strip().replace("\\", "/")
    name = str(folder / path)
    try:
        if "text" not in fields:
            raise InvalidInput("row", "has no text; write a picture's path, a tab, and its text")
        if name not in known:
            raise InvalidInput("path", f"“{path[-100:]}” is not there; give paths from where the table lies")
        text = check_text(fields["text"])
        part = parse_part(fields.get("part", "").strip())
        group = fields.get("group", "").strip()
        return SourceItem(item=name, label=text, folder="", image=tree.read(name), part=part, writer=group)
    except InvalidInput as error:
        return RefusedSource(f"{name} ({place})" if path else place, error)
