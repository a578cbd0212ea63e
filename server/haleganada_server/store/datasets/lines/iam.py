"""The layout of the IAM handwriting database: lines.txt or words.txt, pictures that are named by the ids in it, and
forms.txt, which tells who has written a form.

    lines.txt: a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop
    words.txt: a01-000u-00-00 ok 154 408 768 27 51 AT A
    forms.txt: a01-000u 000 2 prt 7 5 52 36
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from haleganada_server.core.errors import InvalidInput

from ..sources import RefusedSource, SourceItem
from ..sources.file_tree import Tree
from .pictures import check_text, index_pictures

LINES, WORDS, _FORMS = "lines.txt", "words.txt", "forms.txt"
_MAX_BYTES = 512 * 2**20
_FIELDS = 9


def read_lines(tree: Tree) -> Iterator[SourceItem | RefusedSource]:
    """Yield the lines. Raises InvalidInput if there is no lines.txt."""
    return _read(tree, LINES, lambda text: text.replace("|", " "), 1)


def read_words(tree: Tree) -> Iterator[SourceItem | RefusedSource]:
    """Yield the words, without those that are marked err or have no picture. Raises InvalidInput without words.txt."""
    return _read(tree, WORDS, lambda text: text, 2)


def _read(
    tree: Tree, table: str, to_text: Callable[[str], str], numbers: int
) -> Iterator[SourceItem | RefusedSource]:  # fmt: skip
    """numbers: how many stand behind the form in an id."""
    names = tree.names()
    place = next((name for name in names if PurePosixPath(name).name.lower() == table), None)
    if place is None:
        raise InvalidInput("file", f"has no {table}; put it beside the pictures, as the IAM database has it")
    pictures, writers = index_pictures(names), _read_writers(tree, names)
    for number, row in _rows(tree, place):
        fields = row.split(maxsplit=_FIELDS - 1)
        item = f"{fields[0]} ({place}:{number})"
        try:
            if len(fields) < _FIELDS or fields[1] not in ("ok", "err"):
                raise InvalidInput("row", f"does not look like the IAM database's {table}; see docs/using/lines.md")
            if table == WORDS and (fields[1] == "err" or fields[0] not in pictures):
                continue
            if fields[0] not in pictures:
                raise InvalidInput("picture", f"“{fields[0]}.png” is not there; add it")
            form = fields[0].rsplit("-", numbers)[0]
            image = tree.read(pictures[fields[0]])
            text = check_text(to_text(fields[-1]))
            yield SourceItem(item=item, label=text, folder="", image=image, writer=writers.get(form, form))
        except InvalidInput as error:
            yield RefusedSource(item, error)


def _read_writers(tree: Tree, names: list[str]) -> dict[str, str]:
    """Return the writer of each form, as far as forms.txt is there."""
    place = next((name for name in names if PurePosixPath(name).name.lower() == _FORMS), None)
    if place is None:
        return {}
    fields = (row.split() for _, row in _rows(tree, place))
    return {form: f"writer {writer}" for form, writer, *_ in (own for own in fields if len(own) > 1)}


def _rows(tree: Tree, name: str) -> Iterator[tuple[int, str]]:
    try:
        text = tree.read(name, _MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("file", f"has a {name} that is not UTF-8; save it as UTF-8") from None
    for number, row in enumerate(text.split("\n"), start=1):
        if row.strip() and not row.startswith("#"):
            yield number, row.strip()
