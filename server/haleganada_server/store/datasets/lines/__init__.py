"""Sources of lines with their texts, each layout in one file: lines.tsv, the IAM database's, ALTO and PAGE XML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from haleganada_server.core.datasets.dataset import LineFormat
from haleganada_server.core.errors import InvalidInput

from ..sources import RefusedSource, SourceItem
from ..sources.file_tree import Tree, open_tree
from . import iam, tsv, xml_pages

Reader = Callable[[Tree], Iterator[SourceItem | RefusedSource]]

_READERS: dict[LineFormat, Reader] = {
    LineFormat.TSV: tsv.read,
    LineFormat.IAM: iam.read_lines,
    LineFormat.WORDS: iam.read_words,
    LineFormat.ALTO: xml_pages.read_alto,
    LineFormat.PAGE: xml_pages.read_page_xml,
}


def find_lines(path: Path, file_name: str, form: LineFormat) -> Iterator[SourceItem | RefusedSource] | None:
    """Return the lines of a folder or zip file; None if it is no source of lines. form: AUTO = decided by its files.
    Raises InvalidInput if it has not the files of another form; while it is read, if it cannot be.
    """
    if not path.is_dir() and PurePosixPath(file_name).suffix.lower() != ".zip":
        if form is LineFormat.AUTO:
            return None
        raise InvalidInput(
            "options.line_format", f"is {form.value}, but the file is not a folder or .zip with such files"
        )
    with open_tree(path) as tree:
        found = _detect(tree) if form is LineFormat.AUTO else form
    return _read(path, _READERS[found]) if found else None


def _read(path: Path, reader: Reader) -> Iterator[SourceItem | RefusedSource]:
    with open_tree(path) as tree:
        yield from reader(tree)


def _detect(tree: Tree) -> LineFormat | None:
    names = tree.names()
    files = {PurePosixPath(name).name.lower() for name in names}
    if tsv.NAMES & files:
        return LineFormat.TSV
    if iam.LINES in files:
        return LineFormat.IAM
    if iam.WORDS in files:
        return LineFormat.WORDS
    for name in names:
        if name.lower().endswith(".xml"):
            return xml_pages.detect(tree.read(name, xml_pages.MAX_BYTES))
    return None
