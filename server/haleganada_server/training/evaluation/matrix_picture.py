"""confusion_matrix.png. Up to 64 labels are all named; with more, the 40 that are confused most, beside the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from haleganada_server.training.common.lettering import Lettering

from . import palette
from .metrics import Measured, Pair, normalized
from .sheet import HEAD, MARGIN, SMALL, Sheet, Title

MOST_NAMED = 64
NAMED = 40
_OVERVIEW = 880  # px
_LEAST_SIDE = 520  # px, for the title
_TICKS = 16
_NUMBERED = 34  # px, a cell from which on it has a number in it

Shares = NDArray[np.float32]


def confusion_picture(path: Path, measured: Measured, pairs: list[Pair], lettering: Lettering, title: Title) -> None:
    """Rows are what was drawn, columns what was answered; each row sums to 1."""
    shares, rows = normalized(measured.matrix()), _rows(measured)
    if len(rows) <= MOST_NAMED:
        grid, labels = shares[np.ix_(rows, rows)], _texts(measured, rows)
        sheet = Sheet(*_room(len(rows), 0), lettering, title, "Rows: drawn. Columns: answered. Shares of each row.")
        _grid(sheet, (MARGIN, HEAD), grid, labels, labels)
    else:
        some = _most_confused(measured, pairs)
        others = 1 - shares[np.ix_(some, some)].sum(axis=1, keepdims=True)
        grid = np.concatenate([shares[np.ix_(some, some)], others], axis=1)
        about = f"Rows: drawn. Columns: answered. Left: all {len(rows)} labels. Right: the {len(some)} most confused."
        side = len(some) * _cell(len(some) + 1)
        left = side + _NAME + MARGIN
        sheet = Sheet(*_room(len(some) + 1, left), lettering, title, about)
        _whole(sheet, (MARGIN, HEAD), side, shares[np.ix_(rows, rows)], _texts(measured, rows))
        _grid(sheet, (MARGIN + left, HEAD), grid, _texts(measured, some), [*_texts(measured, some), "others"])
    sheet.save(path)


def _rows(measured: Measured) -> NDArray[np.int32]:
    """Labels that were drawn or answered."""
    return np.union1d(measured.truth, measured.answers.best).astype(np.int32)


def _texts(measured: Measured, rows: NDArray[np.int32]) -> list[str]:
    return [measured.space.labels[row] for row in rows]


def _most_confused(measured: Measured, pairs: list[Pair]) -> NDArray[np.int32]:
    """Labels of the most confused pairs, in the data set's order; filled up with the first ones drawn."""
    wanted = [row for pair in pairs for row in (pair.first, pair.second)]
    drawn = set(measured.truth.tolist())
    chosen = [row for row in dict.fromkeys([*wanted, *sorted(drawn)]) if row in drawn][:NAMED]
    return np.array(sorted(chosen), dtype=np.int32)


def _cell(count: int) -> int:
    """Height and width of a cell in px."""
    return int(np.clip(_OVERVIEW // count, 26, 64))


_NAME = 96  # px beside a grid, for the labels of its rows and over it, for those of its columns


def _room(columns: int, left: int) -> tuple[int, int]:
    side = max(columns * _cell(columns), _LEAST_SIDE)
    return left + side + _NAME + 2 * MARGIN, columns * _cell(columns) + _NAME + HEAD + MARGIN


def _grid(sheet: Sheet, at: tuple[int, int], shares: Shares, rows: list[str], columns: list[str]) -> None:
    cell = _cell(len(columns))
    size = min(24, round(cell * 0.68))
    x, y = at[0] + _NAME, at[1] + _NAME
    right = np.eye(*shares.shape) > 0
    colors = np.where(right[..., None], palette.tint(shares, palette.RIGHT), palette.tint(shares, palette.WRONG))
    for i, row in enumerate(rows):
        sheet.text((x - 6, y + (i + 0.5) * cell), row, size, anchor="rm", width=_NAME - 10)
        for j in range(len(columns)):
            place = (x + j * cell, y + i * cell)
            sheet.box(place, (cell, cell), tuple(colors[i, j].tolist()))
            if cell >= _NUMBERED and round(100 * shares[i, j]):
                _number(sheet, place, cell, float(shares[i, j]))
    for k in range(max(len(rows), len(columns)) + 1):
        _rules(sheet, (x, y), k, cell, (len(columns), len(rows)))
    for j, column in enumerate(columns):
        sheet.column_name((x + (j + 0.5) * cell, y - 6), column, size, (cell - 2, _NAME - 10))


def _rules(sheet: Sheet, at: tuple[int, int], k: int, cell: int, size: tuple[int, int]) -> None:
    x, y = at
    if k <= size[0]:
        sheet.line((x + k * cell, y), (x + k * cell, y + size[1] * cell))
    if k <= size[1]:
        sheet.line((x, y + k * cell), (x + size[0] * cell, y + k * cell))


def _number(sheet: Sheet, at: tuple[int, int], cell: int, share: float) -> None:
    color = palette.GROUND if share > 0.3 else palette.INK
    sheet.text((at[0] + cell / 2, at[1] + cell / 2), f"{100 * share:.0f}", SMALL, color, "mm")


def _whole(sheet: Sheet, at: tuple[int, int], side: int, shares: Shares, labels: list[str]) -> None:
    """Every label is a dot or less; wrong answers are made larger than they are, to be seen."""
    right = np.diag(shares)[:, None] * np.eye(len(shares))
    pictures = [_dots(right, side), _dots(shares - right, side)]
    pixels = np.where(pictures[1][..., None] > 0, palette.tint(pictures[1], palette.WRONG),
                      palette.tint(pictures[0], palette.RIGHT))  # fmt: skip
    x, y = at[0] + _NAME, at[1] + _NAME
    sheet.picture((x, y), pixels)
    for start, end in (((0, 0), (side, 0)), ((0, 0), (0, side)), ((side, 0), (side, side)), ((0, side), (side, side))):
        sheet.line((x + start[0], y + start[1]), (x + end[0], y + end[1]))
    for i in np.linspace(0, len(labels) - 1, _TICKS).astype(int):
        place = (i + 0.5) / len(labels) * side
        sheet.line((x - 5, y + place), (x, y + place), palette.FAINT)
        sheet.line((x + place, y - 5), (x + place, y), palette.FAINT)
        sheet.text((x - 9, y + place), labels[i], 18, anchor="rm", width=_NAME - 12)
        sheet.column_name((x + place, y - 9), labels[i], 18, (side / _TICKS - 6, _NAME - 12))


def _dots(shares: NDArray[np.floating], side: int) -> NDArray[np.float64]:
    """(n, n) -> (side, side), whose every px is the largest share near it."""
    gray = np.zeros((side, side), np.uint8)
    rows, columns = np.nonzero(shares)
    scale = side / len(shares)
    places = ((rows + 0.5) * scale).astype(int), ((columns + 0.5) * scale).astype(int)
    np.maximum.at(gray, places, np.ceil(255 * shares[rows, columns]).astype(np.uint8))
    size = max(3, int(scale) | 1)
    return np.asarray(Image.fromarray(gray).filter(ImageFilter.MaxFilter(size))) / 255
