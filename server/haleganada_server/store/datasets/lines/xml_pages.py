"""Lines of pages, cut out of their pictures along the outlines that ALTO or PAGE XML gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from haleganada_server.core.datasets.dataset import LineFormat
from haleganada_server.core.errors import InvalidInput
from haleganada_server.vision.line_pictures import GrayLine, cut_polygon, decode_page

from ..sources import RefusedSource, SourceItem
from ..sources.file_tree import Tree
from .pictures import check_text, index_pictures

MAX_BYTES = 64 * 2**20
_ROOTS = {"alto": LineFormat.ALTO, "PcGts": LineFormat.PAGE}

Point = tuple[float, float]
Line = tuple[str, str, Sequence[Point]]
"""Its id, its text, and its outline."""


def detect(data: bytes) -> LineFormat | None:
    """Return which of the two a file is; None if it is neither."""
    try:
        return _ROOTS.get(_name(_parse(data)))
    except InvalidInput:
        return None


def read_alto(tree: Tree) -> Iterator[SourceItem | RefusedSource]:
    """Yield the lines of all ALTO files. Raises InvalidInput if there are none."""
    return _read(tree, LineFormat.ALTO)


def read_page_xml(tree: Tree) -> Iterator[SourceItem | RefusedSource]:
    """Yield the lines of all PAGE XML files. Raises InvalidInput if there are none."""
    return _read(tree, LineFormat.PAGE)


def _read(tree: Tree, form: LineFormat) -> Iterator[SourceItem | RefusedSource]:
    names = tree.names()
    pictures, by_name = index_pictures(names), {PurePosixPath(name).name: name for name in names}
    found = 0
    for name in names:
        if not name.lower().endswith(".xml"):
            continue
        try:
            root = _parse(tree.read(name, MAX_BYTES))
            if _ROOTS.get(_name(root)) is not form:
                continue
            found += 1
            told, lines = _find_alto(root) if form is LineFormat.ALTO else _find_page_xml(root)
            picture = by_name.get(PurePosixPath(told.replace("\\", "/")).name) or pictures.get(PurePosixPath(name).stem)
            if picture is None:
                raise InvalidInput("picture", f"“{told[-100:]}” is not there; put the page's picture beside its file")
            page = decode_page(tree.read(picture))
        except InvalidInput as error:
            yield RefusedSource(name, error)
            continue
        for line_id, text, outline in lines:
            yield _cut(f"{name}#{line_id}", text, outline, page, PurePosixPath(name).stem)
    if not found:
        raise InvalidInput("file", f"has no {form.value.upper()} file; put the pages' XML files beside their pictures")


def _cut(
    item: str, text: str, outline: Sequence[Point], page: GrayLine, document: str
) -> SourceItem | RefusedSource:  # fmt: skip
    try:
        picture = cut_polygon(page, outline)
        return SourceItem(item=item, label=check_text(text), folder="", image=picture, writer=document)
    except InvalidInput as error:
        return RefusedSource(item, error)


def _parse(data: bytes) -> Element:
    """Raise InvalidInput for what is no XML, or has declarations, with which a small file can become a huge one."""
    if re.search(rb"<!(DOCTYPE|ENTITY)", data, re.IGNORECASE):
        raise InvalidInput("file", "declares a document type, which no ALTO or PAGE file needs; remove it")
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InvalidInput("file", f"is not XML ({str(error)[:80]}); export it again") from None


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if _name(child) == name]


def _find_page_xml(root: Element) -> tuple[str, list[Line]]:
    """Return the name of the page's picture, and its lines that have a text."""
    page = next((child for child in root if _name(child) == "Page"), root)
    lines: list[Line] = []
    for element in page.iter():
        if _name(element) != "TextLine":
            continue
        texts = [_children(one, "Unicode") for one in _children(element, "TextEquiv")]
        text = next((one[0].text or "" for one in texts if one), "")
        outline = [_parse_points(one.get("points", "")) for one in _children(element, "Coords")]
        if text.strip() and outline:
            lines.append((element.get("id", ""), text, outline[0]))
    return page.get("imageFilename", ""), lines


def _find_alto(root: Element) -> tuple[str, list[Line]]:
    """Return the name of the page's picture, and its lines that have a text."""
    file_name = next((element.text or "" for element in root.iter() if _name(element) == "fileName"), "")
    lines: list[Line] = []
    for element in root.iter():
        if _name(element) != "TextLine":
            continue
        text = " ".join(word.get("CONTENT", "") for word in _children(element, "String"))
        shapes = [polygon for shape in _children(element, "Shape") for polygon in _children(shape, "Polygon")]
        outline = _parse_points(shapes[0].get("POINTS", "")) if shapes else _box(element)
        if text.strip():
            lines.append((element.get("ID", ""), text, outline))
    return file_name.strip(), lines


def _parse_points(text: str) -> list[Point]:
    """Return points that are written as “1,2 3,4” or “1 2 3 4”; none if they cannot be read."""
    try:
        numbers = [float(number) for number in re.split(r"[\s,]+", text.strip()) if number]
    except ValueError:
        return []
    return list(zip(numbers[::2], numbers[1::2], strict=False))


def _box(element: Element) -> list[Point]:
    try:
        left, top, width, height = (float(element.get(name, "")) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT"))
    except ValueError:
        return []
    return [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
