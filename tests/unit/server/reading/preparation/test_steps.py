"""Light, ruled lines and columns; and what must stay as it is."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from haleganada_server.core.reading.options import PreparationStep
from haleganada_server.reading.preparation import prepare
from PIL import Image, ImageDraw, ImageFont

from tests.support.slow import slow_rows
from tests.unit.server.reading.pages import Pixels, draw_page, text_of


def take_only(step: PreparationStep, page: Pixels) -> Pixels:
    return prepare(page, frozenset(PreparationStep) - {step}).picture


def draw_ruled_page(color: tuple[int, int, int], thickness: int) -> tuple[Image.Image, Image.Image]:
    """A page on ruled paper, and the same page on plain paper."""
    plain = draw_page(text_of(20), height=28)
    ruled = Image.new("RGB", plain.size, "white")
    pen = ImageDraw.Draw(ruled)
    for number in range(24):
        y = 178 + 42 * number
        pen.line([(60, y), (1180, y)], fill=color, width=thickness)
    ink = np.minimum(np.asarray(plain), np.asarray(ruled))
    return Image.fromarray(ink), plain


@pytest.mark.parametrize(
    ("color", "thickness", "kept"),
    # Letters that stand on a line as dark as they are lose a little of their feet.
    [((150, 170, 220), 2, 0.99), ((200, 210, 225), 1, 0.99), ((40, 40, 40), 2, 0.85)],
)
def test_removes_ruled_lines_and_keeps_letters(color: tuple[int, int, int], thickness: int, kept: float) -> None:
    ruled, plain = (np.asarray(page).astype(int) for page in draw_ruled_page(color, thickness))

    cleaned = take_only(PreparationStep.RULED_LINES, ruled.astype(np.uint8)).astype(int)

    before, after = np.abs(ruled - plain).sum(), np.abs(cleaned - plain).sum()
    assert after < 0.3 * before
    letters = plain.min(axis=2) < 100
    assert (cleaned.max(axis=2)[letters] < 128).mean() > kept


def test_a_shadow_is_evened_out() -> None:
    page = np.asarray(draw_page(text_of(40)))
    shade = np.linspace(1.0, 0.35, page.shape[1])[None, :, None] * np.linspace(1.0, 0.8, page.shape[0])[:, None, None]
    shaded = (page * shade).astype(np.uint8)

    even = take_only(PreparationStep.LIGHT, shaded)

    paper = page.min(axis=2) > 250
    assert np.percentile(even[paper], 5) > 0.9 * np.percentile(even[paper], 95)
    assert np.median(even[~paper & (page.max(axis=2) < 60)]) < 90


@pytest.mark.parametrize(("paper", "ink"), [(200, 150), (120, 90), (250, 215)])
def test_faint_text_becomes_dark(paper: int, ink: int) -> None:
    mask = np.asarray(draw_page(text_of(30)).convert("L")) / 255.0
    page = np.repeat((ink + (paper - ink) * mask).astype(np.uint8)[:, :, None], 3, axis=2)

    clear = take_only(PreparationStep.LIGHT, page)

    assert np.median(clear[mask > 0.99]) > 190
    assert np.median(clear[mask < 0.15]) < 110


def put_in_columns(count: int, heading: bool) -> tuple[Pixels, list[tuple[int, int]]]:
    """A page with columns of prose; and left and right of each, in px."""
    page = Image.new("RGB", (1240, 1754), "white")
    width = 1000 // count
    inside = []
    for number in range(count):
        left = 100 + number * (width + 40)
        words = (20, 9, 5)[count - 1]
        column = draw_page(text_of(56, number, words), size=(width, 1400), at=(0, 0), height=18)
        page.paste(column, (left, 220))
        inside.append((left, left + width))
    if heading:
        page.paste(
            draw_page(["A heading that goes over the whole page"], size=(1000, 80), at=(0, 5), height=48), (100, 90)
        )
    return np.asarray(page), inside


@pytest.mark.parametrize(
    ("count", "heading"), [(1, False), (2, True), (3, False), *slow_rows((1, True), (2, False), (3, True))]
)
def test_finds_columns_in_reading_order(count: int, heading: bool) -> None:
    page, inside = put_in_columns(count, heading)

    boxes = prepare(page).columns

    columns = [box for box in boxes if box[3] - box[1] > 1000]
    assert len(columns) == count
    assert len(boxes) == count + (heading and count > 1)
    for (left, top, right, bottom), (first, last) in zip(columns, inside, strict=True):
        assert left <= first + 2
        assert right > last - 60
        assert top <= 222
        assert bottom >= 1600
    assert sum((right - left) * (bottom - top) for left, top, right, bottom in boxes) == pytest.approx(1240 * 1754)


def put_verses_beside_prose(gutter: int) -> Pixels:
    """A page of two columns, `gutter` px apart: verses with their sources at the margin, between lines of prose, and
    prose.
    """
    page = Image.new("RGB", (1240, 1754), "white")
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(24)
    for row, line in enumerate(text_of(40, "left", 12)):
        is_verse = row % 6 < 3
        words = line.split()
        while pen.textlength(" ".join(words), font) > (300 if is_verse else 500):
            words.pop()
        gap = 0 if is_verse else (500 - pen.textlength(" ".join(words), font)) / (len(words) - 1)  # justified
        x = 100.0
        for word in words:
            pen.text((x, 150 + 36 * row), word, "black", font)
            x += pen.textlength(f"{word} ", font) + gap
        if row % 6 == 2:
            pen.text((600, 150 + 36 * row), "(p. 1)", "black", font, anchor="ra")
    page.paste(draw_page(text_of(38, "right", 14), size=(540, 1450), at=(0, 0), height=24), (600 + gutter, 190))
    return np.asarray(page)


@pytest.mark.parametrize("gutter", [16, 24, 48])
def test_verses_beside_a_column_of_prose_stay_whole(gutter: int) -> None:
    left, right = prepare(put_verses_beside_prose(gutter)).columns

    assert 590 <= left[2] == right[0] <= 602 + gutter
    assert left[1] == right[1] == 0
    assert left[3] == right[3] == 1754


def test_a_table_is_not_parted() -> None:
    page = Image.new("RGB", (1240, 1754), "white")
    for left, text in ((120, "Name"), (520, "12.5"), (900, "yes")):
        page.paste(draw_page([text] * 30, size=(200, 1400), at=(0, 0), height=24), (left, 200))

    assert len(prepare(np.asarray(page)).columns) == 1


@pytest.mark.parametrize("kind", ["gradient", "noise", "shapes"])
def test_a_photo_without_text_stays_as_it_is(kind: str) -> None:
    dice = np.random.default_rng(0)
    y, x = np.mgrid[0:900, 0:700]
    if kind == "gradient":
        photo = np.stack([x * 255 // 700, y * 255 // 900, (x + y) * 255 // 1600], axis=2).astype(np.uint8)
    elif kind == "noise":
        photo = dice.integers(0, 255, (900, 700, 3)).astype(np.uint8)
    else:
        image = Image.new("RGB", (700, 900), (90, 140, 200))
        pen = ImageDraw.Draw(image)
        for _ in range(15):
            left, top = dice.integers(0, 600, 2)
            pen.ellipse([left, top, left + 150, top + 200], fill=tuple(int(v) for v in dice.integers(0, 255, 3)))
        photo = np.asarray(image)

    prepared = prepare(photo)

    assert prepared.turn_degrees is None
    assert prepared.picture.shape == photo.shape
    assert np.array_equal(prepared.to_page, np.eye(2, 3))
    assert len(prepared.columns) == 1


@pytest.mark.slow
def test_a_large_page_is_prepared_in_bounded_memory() -> None:
    """A shaded, sloping page on its side, of 13 megapixels: each step holds one copy besides the one that it makes."""
    code = (
        "import resource\n"
        "import cv2, numpy as np\n"
        "from tests.unit.server.reading.pages import draw_page, text_of\n"
        "from haleganada_server.reading.preparation import prepare\n"
        "page = draw_page(text_of(40)).rotate(3, expand=True, fillcolor='white').rotate(90, expand=True)\n"
        "prepare(np.asarray(page))\n"
        "page = cv2.resize(np.asarray(page), (4200, 3000))\n"
        "page[:, ::2] //= 2\n"
        "page[:, :1800] //= 2\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "before = peak()\n"
        "prepared = prepare(page)\n"
        "print(prepared.turn_degrees, (peak() - before) / page.nbytes)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    turn, copies = done.stdout.split()

    assert turn == "90"
    assert float(copies) < 4
