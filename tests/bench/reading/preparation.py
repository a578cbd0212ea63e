"""How well pages are prepared: python -m tests.bench.reading.preparation (needs HALEGANADA_DATA).

Real pages are turned and sloped by known angles, put side by side as columns, and inverted. The times are of one core
and an A4 page at 300 dpi.
"""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from haleganada_server.core.reading.options import PreparationStep
from haleganada_server.reading.preparation import prepare
from haleganada_server.reading.preparation.ink import find_ink, reduce_to_gray
from numpy.typing import NDArray
from PIL import Image

from tests.bench.table import Table

Pixels = NDArray[np.uint8]

SETS = {
    "mile_kannada": "Kannada print",
    "fondue_en_print": "English print",
    "stanford_letters_en": "English letters, typed and by hand",
    "copiste_lines_fr": "French handwriting",
    "kannada_handwritten_pages_unlabelled": "Kannada handwriting",
}
ANGLES = (-9.5, -4.2, -1.3, -0.5, 0.5, 1.3, 4.2, 9.5)
APART = {"mile_kannada": 9, "fondue_en_print": 0}
"""The page of these sets that is no column of prose: it has a picture, or two columns of its own."""
A4 = (2480, 3508)
ROUNDS = 7


def main() -> None:
    cv2.setNumThreads(1)
    data = Path(os.environ["HALEGANADA_DATA"])
    pages = {name: list(read_pages(data / name)) for name in SETS}
    tables = [measure_skew(pages), measure_turns(pages), measure_columns(pages), measure_time(pages)]
    print("\n\n".join(table.markdown() for table in tables))


def read_pages(folder: Path) -> Iterator[Pixels]:
    with zipfile.ZipFile(folder / "pages.zip") as file:
        for name in sorted(file.namelist()):
            if name.endswith(".jpg"):
                yield np.asarray(Image.open(io.BytesIO(file.read(name))).convert("RGB"))


def slope(page: Pixels, degrees: float) -> Pixels:
    """Make the lines rise by `degrees`, as on a page that was put askew on a scanner."""
    paper = tuple(int(level) for level in np.median(page[::10, ::10], axis=(0, 1)))
    image = Image.fromarray(page)
    return np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper))


def measure_skew(pages: dict[str, list[Pixels]]) -> Table:
    table = Table("Skew", ("pages", "n", "not sure", "median error", "95th percentile", "largest"))
    for name, kind in SETS.items():
        errors, unsure = [], 0
        for page in pages[name]:
            own = find_skew(page)
            for degrees in ANGLES:
                found = find_skew(slope(page, degrees))
                if found is None or own is None:
                    unsure += 1
                else:
                    errors.append(abs(found - own - degrees))
        cells = [f"{value:.2f}°" for value in (*np.percentile(errors, (50, 95)), max(errors))]
        table.add(kind, str(len(pages[name]) * len(ANGLES)), str(unsure), *cells)
    return table


def find_skew(page: Pixels) -> float | None:
    return prepare(page, frozenset(PreparationStep) - {PreparationStep.SKEW}).skew_degrees


def measure_turns(pages: dict[str, list[Pixels]]) -> Table:
    table = Table(
        "Turns by 0, 90, 180 and 270 degrees, light and inverted", ("pages", "n", "right", "not sure", "wrong")
    )
    for name, kind in SETS.items():
        right = unsure = wrong = 0
        for number, page in enumerate(pages[name]):
            for quarters in range(4):
                turned = np.ascontiguousarray(np.rot90(slope(page, (number * 4 + quarters) * 2.3 % 12 - 6), quarters))
                turned = 255 - turned if number % 2 else turned
                skipped = frozenset({PreparationStep.SKEW, PreparationStep.LIGHT, PreparationStep.RULED_LINES})
                found = prepare(turned, skipped | {PreparationStep.COLUMNS}).turn_degrees
                right += found == quarters * 90
                unsure += found is None
                wrong += found not in (None, quarters * 90)
        table.add(kind, str(len(pages[name]) * 4), str(right), str(unsure), str(wrong))
    return table


def measure_columns(pages: dict[str, list[Pixels]]) -> Table:
    table = Table("Columns", ("pages", "n", "parted rightly"))
    for name, kind in SETS.items():
        for count in (1, 2, 3):
            right = total = 0
            prose = [page for number, page in enumerate(pages[name]) if number != APART.get(name)]
            for first in range(len(prose) if count == 1 or name in APART else 0):
                chosen = [prose[(first + i) % len(prose)] for i in range(count)]
                page, inside = put_side_by_side(chosen)
                found = prepare(page, frozenset(PreparationStep) - {PreparationStep.COLUMNS}).columns
                right += is_parted(found, inside)
                total += 1
            if total:
                table.add(f"{kind}, {count} column{'s' * (count > 1)}", str(total), str(right))
    return table


def put_side_by_side(pages: list[Pixels]) -> tuple[Pixels, list[tuple[int, int]]]:
    """Cut off the margins and put pages side by side as columns. Returns left and right of each, too."""
    if len(pages) == 1:
        return pages[0], [(0, pages[0].shape[1])]
    texts = [cut_margins(page) for page in pages]
    height = min(text.shape[0] for text in texts)
    paper = np.full((height + 200, 100, 3), 255, np.uint8)
    parts, inside, x = [paper], [], 100
    for text in texts:
        part = np.full((height + 200, text.shape[1], 3), 255, np.uint8)
        part[100 : 100 + height] = text[:height]
        gutter = np.full((height + 200, round(0.04 * text.shape[1]), 3), 255, np.uint8)
        inside.append((x, x + text.shape[1]))
        parts += [part, gutter]
        x += text.shape[1] + gutter.shape[1]
    return np.concatenate([*parts, paper], axis=1), inside


def cut_margins(page: Pixels) -> Pixels:
    ink = find_ink(reduce_to_gray(page))
    scale = page.shape[0] / ink.shape[0]
    rows, columns = (np.flatnonzero((ink > 0).sum(axis=axis) > 12) for axis in (1, 0))
    top, bottom, left, right = (round(side * scale) for side in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    return page[top:bottom, left:right]


def is_parted(found: tuple[tuple[float, float, float, float], ...], inside: list[tuple[int, int]]) -> bool:
    """Whether each column has a part of its own, in this order; smaller parts above and below are allowed."""
    tall = max(bottom - top for _, top, _, bottom in found)
    columns = [part for part in found if part[3] - part[1] > 0.7 * tall]
    if len(columns) != len(inside):
        return False
    return all(
        abs(part[0] - left) < 0.1 * (right - left) + 100 and abs(part[2] - right) < 0.1 * (right - left) + 100
        for part, (left, right) in zip(columns, inside, strict=True)
    )


def measure_time(pages: dict[str, list[Pixels]]) -> Table:
    table = Table(
        "Milliseconds on an A4 page at 300 dpi, one core", ("page", *(step.value for step in PreparationStep), "all")
    )
    page = np.asarray(Image.fromarray(pages["mile_kannada"][0]).resize(A4, Image.Resampling.BICUBIC))
    pages_at = {
        "upright": page,
        "turned, sloping by 3°, inverted": 255 - np.ascontiguousarray(np.rot90(slope(page, 3))),
    }
    for name, picture in pages_at.items():
        times = []
        for count in range(len(PreparationStep) + 1):  # what a step takes is what it adds
            skipped = frozenset(list(PreparationStep)[count:])
            times.append(min(measure_ms(picture, skipped) for _ in range(ROUNDS)))
        steps = np.diff(times)
        table.add(name, *(f"{ms:.0f}" for ms in (*steps, times[-1])))
    return table


def measure_ms(picture: Pixels, skipped: frozenset[PreparationStep]) -> float:
    begin = time.process_time()
    prepare(picture, skipped)
    return (time.process_time() - begin) * 1000


if __name__ == "__main__":
    main()
