"""Makes a reading of a zip with words.txt and pictures of words, of pages, or of both."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import numpy as np

from haleganada_server.core.disk.zip_files import open_zip
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.limits import MAX_PAGE_PIXELS, MAX_PAGES
from haleganada_server.core.reading.page import PageReading, Polygon, TextBlock, TextLine, TextWord

from ..cutting import Picture
from ..kept import DOCUMENT, write_page
from ..outlines import Box
from .faults import too_large, unusable
from .layout import lay_out, page_size
from .members import Members
from .page_pictures import PagePictures
from .word_list import ListedWord


def import_words(archive: Path, reading: Path) -> int:
    """Fill the folder of a reading with a document and its pages, and return the number of pages.

    Pages come in the order of img_names_sequence.txt, else of words.txt, else of the pictures' names. A page without a
    picture is composed of its words' pictures. Raises Precondition, DOCUMENT_UNREADABLE, and Exhausted,
    DOCUMENT_TOO_LARGE, with what is wrong.
    """
    try:
        with open_zip(archive) as file, tempfile.TemporaryDirectory(dir=reading, prefix="import-") as folder:
            members = Members(file, Path(folder) / "picture")
            forms = _group_by_form(members.list_words())
            if len(forms) > MAX_PAGES:
                raise too_large(f"has {len(forms):,} pages; at most {MAX_PAGES:,} are allowed, so split it")
            with PagePictures(reading / DOCUMENT, len(forms)) as pictures:
                for number, (form, words) in enumerate(forms.items(), start=1):
                    write_page(reading, _make_page(members, pictures, number, form, words))
            return len(forms)
    except InvalidInput as error:
        raise unusable(error.description) from error


def _group_by_form(words: Iterable[ListedWord]) -> dict[str, list[ListedWord]]:
    forms: dict[str, list[ListedWord]] = {}
    for word in words:
        forms.setdefault(word.form, []).append(word)
    return forms


def _make_page(
    members: Members, pictures: PagePictures, number: int, form: str, words: list[ListedWord]
) -> PageReading:
    if form in members:
        with members.open_picture(form) as (path, picture):
            pictures.add(picture, path)
        height, width = picture.shape[:2]
        placed = [(word, _clip(word, word.box, width, height)) for word in words if word.box is not None]
    else:
        picture, placed = _compose(members, form, words)
        pictures.add(picture)
        height, width = picture.shape[:2]
    # words whose ids tell no line were laid out by us, with one lower edge for each line
    rows = groupby(placed, key=lambda pair: pair[1].bottom if pair[0].line is None else pair[0].line)
    lines = tuple(_make_line(list(row)) for _, row in rows)
    blocks = (TextBlock(polygon=_surround(line.polygon for line in lines), lines=lines),) if lines else ()
    return PageReading(page=number, width=width, height=height, blocks=blocks)


def _compose(members: Members, form: str, words: list[ListedWord]) -> tuple[Picture, list[tuple[ListedWord, Box]]]:
    """Return a page made of the pictures of its words, and where they are on it."""
    found: list[tuple[ListedWord, Picture]] = []
    pixels = 0
    for word in words:
        if word.word_id in members:
            with members.open_picture(word.word_id) as (_, picture):
                found.append((word, picture))
            pixels += picture.shape[0] * picture.shape[1]
            _check_pixels(form, pixels)
    if not found:
        raise unusable(f"has neither a picture of the page {form} nor of any of its words; add page/{form}.png")
    boxes = lay_out([word for word, _ in found], [(picture.shape[1], picture.shape[0]) for _, picture in found])
    width, height = page_size(boxes)
    _check_pixels(form, width * height)
    page = np.full((height, width, 3), 255, np.uint8)
    for (_, picture), box in zip(found, boxes, strict=True):
        part = page[box.top :, box.left :][: picture.shape[0], : picture.shape[1]]
        part[...] = np.minimum(part, picture[: part.shape[0], : part.shape[1]])  # boxes may overlap
    return page, [(word, box) for (word, _), box in zip(found, boxes, strict=True)]


def _check_pixels(form: str, pixels: int) -> None:
    if pixels > MAX_PAGE_PIXELS:
        raise too_large(f"has too many pictures for one page {form or 'of words without ids'}; split it")


def _clip(word: ListedWord, box: Box, width: int, height: int) -> Box:
    """Return the part of a word's box that is on a page of width x height px."""
    clipped = Box(box.left, box.top, min(box.right, width), min(box.bottom, height))
    if clipped.width < 1 or clipped.height < 1:
        raise unusable(
            f"has a word {word.word_id} whose box is outside of the page {word.form}, which has {width} x {height} "
            "pixels; correct words.txt"
        )
    return clipped


def _make_line(placed: list[tuple[ListedWord, Box]]) -> TextLine:
    words = tuple(TextWord(text=word.text, polygon=_to_polygon(box)) for word, box in placed)
    text = " ".join(word.text for word in words if word.text)
    return TextLine(text=text, polygon=_surround(word.polygon for word in words), words=words)


def _to_polygon(box: Box) -> Polygon:
    left, top, right, bottom = map(float, box)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _surround(polygons: Iterable[Polygon]) -> Polygon:
    xs, ys = zip(*(point for polygon in polygons for point in polygon), strict=True)
    return ((min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys)))
