"""Pages of real books, of whose script nothing was taught before.

The truth is the text of each line. So the true boxes of its aksharas are those of the best path that reads the line, by
a head that was taught with fonts, and then with what it has found on the page; the loop knows nothing of that head.
"""

from __future__ import annotations

import io
import json
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_server.core.reading.graphemes import split_graphemes
from haleganada_server.core.reading.taught.label_order import START, LabelOrder, Run
from haleganada_server.core.reading.taught.page import TaughtPage
from haleganada_server.core.reading.taught.reading import read_taught
from haleganada_server.core.reading.taught.settled import Settled
from PIL import Image, ImageDraw, ImageFont

from tests.bench.accuracy.features import Recognizer, make_product_rasters
from tests.bench.reading.scores import edits
from tests.bench.table import Table
from tests.bench.taught.alignment import align, page_box
from tests.bench.taught.corrector import Corrector, Lessons, box_of
from tests.bench.taught.loop import CORRECTION_S, TYPED_GLYPH_S, take_apart
from tests.bench.taught.matching import ReadGlyph, match
from tests.bench.taught.pages import ComposedPage, Gray, Truth
from tests.bench.taught.printed import find_fonts

PAGES = ("Kan_023_P035", "Kan_034_P047", "Kan_035_P029", "Kan_046_P014", "Kan_165_P041", "Kan_166_P005")
"""One of each book of which whole lines are known."""
ORDERED = ("Kan_023_P035", "Kan_034_P047", "Kan_046_P014")
_COLUMNS = (
    "page", "aksharas, distinct", "with a place", "one by one", "all that are the same at once",
    "F1 at first, in the end", "errors in the end", "typed, corrected",
)  # fmt: skip
_MOST = 3  # corrections for each distinct akshara, after which a page is given up
_SIZE = 40  # px of the fonts


@dataclass(frozen=True)
class Line:
    """box: on the page. aksharas: without spaces."""

    box: tuple[int, int, int, int]
    aksharas: list[str]


def measure(data: Path, glyphs: int) -> Table:
    """glyphs: as many lines are taken of each page, from its top."""
    table = Table("Pages of books: corrections for each distinct akshara, until 98 % are right", _COLUMNS)
    recognizer = Recognizer.load_shipped()
    for name in PAGES:
        picture, lines = load_page(data, name, glyphs)
        page = take_apart(ComposedPage(picture, []), recognizer)
        truth = find_truth(page, lines, recognizer)
        correctors = [Corrector(page, truth, Lessons(recognizer), many=many) for many in (False, True)]
        distinct, wanted = len({one.label for one in truth}), [one for line in lines for one in line.aksharas]
        ratios = []
        for corrector in correctors:
            done = corrector.correct(_MOST * distinct)
            left = "" if done is not None else f" ({corrector.errors[-1]} not right)"
            ratios.append(f"{(len(corrector.errors) - 1) / distinct:.2f}{left}")
        many = correctors[1]
        table.add(
            name,
            f"{len(wanted)}, {distinct}",
            f"{100 * len(truth) / len(wanted):.1f} %",
            *ratios,
            f"{many.f1(0):.3f}, {many.f1(-1):.3f}",
            f"{100 * edits(many.text, wanted) / len(wanted):.1f} %",
            f"{len(wanted) * TYPED_GLYPH_S:.0f} s, {CORRECTION_S * (len(many.errors) - 1):.0f} s",
        )
    return table


def load_page(data: Path, name: str, glyphs: int) -> tuple[Gray, list[Line]]:
    """Return the upper part of a page, RGB, with about so many aksharas, and its lines."""
    with zipfile.ZipFile(data / "mile_kannada" / "pages.zip") as file:
        picture = np.asarray(Image.open(io.BytesIO(file.read(f"{name}.jpg"))).convert("RGB"))
        found = json.loads(file.read("gt.json"))[name]["lines"]
    lines: list[Line] = []
    for left, top, right, bottom, text, *_ in sorted(found, key=lambda one: one[1]):
        if sum(len(line.aksharas) for line in lines) >= glyphs:
            return picture[: (lines[-1].box[3] + top) // 2], lines
        clusters = split_graphemes(unicodedata.normalize("NFC", text))
        lines.append(Line((left, top, right, bottom), [one for one in clusters if one.strip()]))
    return picture, lines


def find_truth(page: TaughtPage, lines: Sequence[Line], recognizer: Recognizer) -> list[Truth]:
    """Return where the aksharas of the lines are, as far as they have a place."""
    fonts = [ImageFont.truetype(str(path), _SIZE, layout_engine=ImageFont.Layout.RAQM) for path in find_fonts()]
    distinct = sorted({one for line in lines for one in line.aksharas})
    lessons = Lessons(recognizer)
    for font in fonts:
        for label, vector in zip(distinct, _embed(font, distinct, recognizer), strict=True):
            lessons.add(label, vector)
    truth = _align_all(page, lines, lessons, fonts[0])
    vectors = page.project(recognizer.head_parameters.projection)
    places = {page_box(page, tuple(box)): i for i, box in enumerate(page.lattice.group_boxes.tolist())}
    for glyph in truth:  # the book's own font counts more than others
        lessons.add(glyph.label, vectors[places[glyph.box]])
    return _align_all(page, lines, lessons, fonts[0])


def _align_all(page: TaughtPage, lines: Sequence[Line], lessons: Lessons, font: ImageFont.FreeTypeFont) -> list[Truth]:
    truth: list[Truth] = []
    for line in lines:
        number = _find_line(page, line)
        if number is not None and line.aksharas:
            widths = [max(font.getlength(one), 1.0) for one in line.aksharas]
            height = font.getbbox("ಕ")[3] - font.getbbox("ಕ")[1]
            truth += align(page, line.aksharas, lessons, number, [one * page.lattice.letter / height for one in widths])
    return truth


def _find_line(page: TaughtPage, line: Line) -> int | None:
    """Return the number of the lattice's line that shares most with a true one; None if none does."""
    lattice, best, most = page.lattice, None, 0.0
    for number, (first, last) in enumerate(zip(lattice.line_starts[:-1], lattice.line_starts[1:], strict=True)):
        boxes = lattice.part_boxes[first:last]
        box = page_box(page, (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)))
        tall = min(box[3], line.box[3]) - max(box[1], line.box[1])
        wide = min(box[2], line.box[2]) - max(box[0], line.box[0])
        share = max(0, tall) * max(0, wide) / ((box[3] - box[1]) * (box[2] - box[0]))
        if share > most:
            best, most = number, share
    return best


def _embed(font: ImageFont.FreeTypeFont, labels: Sequence[str], recognizer: Recognizer) -> np.ndarray:
    drawings = []
    for label in labels:
        drawn = Image.new("L", (6 * _SIZE, 3 * _SIZE), 0)
        ImageDraw.Draw(drawn).text((_SIZE, _SIZE), label, font=font, fill=255)
        drawings.append(np.asarray(drawn, np.uint8))
    return recognizer.embed(make_product_rasters(np.stack(drawings)))


def measure_order(data: Path) -> Table:
    """Settle the first lines of pages, and count errors in the others, of aksharas that the page has taught: without
    the order of labels, with that of the page, and with that of all other pages' texts, too.
    """
    table = Table(
        "Errors in lines of which nothing is settled", ("settled", "n", "without order", "the page's", "all pages'")
    )
    recognizer = Recognizer.load_shipped()
    parameters = recognizer.head_parameters
    found = {name: load_page(data, name, 400) for name in ORDERED}
    pages = {name: take_apart(ComposedPage(picture, []), recognizer) for name, (picture, _) in found.items()}
    truths = {name: find_truth(pages[name], lines, recognizer) for name, (_, lines) in found.items()}
    for share in (0.25, 0.5, 0.75):
        errors, total = np.zeros(3, int), 0
        for name in ORDERED:
            page, truth, lessons, settled = pages[name], truths[name], Lessons(recognizer), Settled()
            lines = sorted({one.line for one in truth})
            first = set(lines[: int(share * len(lines))])
            places = {page_box(page, tuple(box)): i for i, box in enumerate(page.lattice.group_boxes.tolist())}
            for one in (one for one in truth if one.line in first):
                lessons.add(one.label, page.project(parameters.projection)[places[one.box]])
                settled = settled.settle(page.lattice, int(page.lattice.group_ids[places[one.box]]), one.label)
            asked = [one for one in truth if one.line not in first and one.label in lessons.labels]
            knowledge = lessons.know()
            for i, others in enumerate((None, LabelOrder(), LabelOrder(_load_runs(data, name)))):
                read = read_taught(page, knowledge, parameters, settled=settled, others=others)
                matched = match(asked, [ReadGlyph(glyph.text, box_of(glyph)) for glyph in read.glyphs])
                errors[i] += matched.found - matched.named
            total += matched.found
        table.add(f"{share:.0%} of the lines", str(total), *map(str, errors))
    return table


def _load_runs(data: Path, name: str) -> list[Run]:
    """Return the lines of all pages but one."""
    with zipfile.ZipFile(data / "mile_kannada" / "pages.zip") as file:
        pages = json.loads(file.read("gt.json"))
    texts = (
        unicodedata.normalize("NFC", line[4]) for one, page in pages.items() if one != name for line in page["lines"]
    )
    return [(START, *split_graphemes(text)) for text in texts]
