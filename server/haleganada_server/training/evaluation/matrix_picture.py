"""confusion_matrix.png: all labels, up to 64; with more, the 40 most confused ones beside the whole matrix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from haleganada_server.training.common.lettering import Lettering

from . import palette
from .metrics import ConfusedPair, Evaluation, normalize_rows
from .sheet import HEADER, MARGIN, SMALL, Sheet, Title

ALL_SHOWN = 64
MOST_CONFUSED = 40
_OVERVIEW = 880  # px
_MIN_SIDE = 520  # px, for the title
_TICKS = 16
_NUMBERED = 34  # px: cells of this size and larger show a number
_LABEL = 96  # px beside a grid for the labels of its rows, and above it for those of its columns
_AXES = "Rows: true labels. Columns: predicted labels."

Shares = NDArray[np.float32]


def draw_confusion_matrix(
    path: Path, evaluation: Evaluation, pairs: list[ConfusedPair], lettering: Lettering, title: Title
) -> None:
    """Draw the matrix: rows are true labels, columns predicted ones; each row sums to 1."""
    shares = normalize_rows(evaluation.confusion_matrix())
    rows = np.union1d(evaluation.truth, evaluation.predictions.best).astype(np.int32)
    if len(rows) <= ALL_SHOWN:
        grid, labels = shares[np.ix_(rows, rows)], _get_labels(evaluation, rows)
        sheet = Sheet(*_compute_size(len(rows), 0), lettering, title, f"{_AXES} Shares of each row.")
        _draw_grid(sheet, (MARGIN, HEADER), grid, labels, labels)
    else:
        chosen = _choose_most_confused(evaluation, pairs)
        others = 1 - shares[np.ix_(chosen, chosen)].sum(axis=1, keepdims=True)
        grid = np.concatenate([shares[np.ix_(chosen, chosen)], others], axis=1)
        about = f"{_AXES} Left: all {len(rows)} labels. Right: the {len(chosen)} most confused."
        side = len(chosen) * _compute_cell(len(chosen) + 1)
        left = side + _LABEL + MARGIN
        sheet = Sheet(*_compute_size(len(chosen) + 1, left), lettering, title, about)
        _draw_overview(sheet, (MARGIN, HEADER), side, shares[np.ix_(rows, rows)], _get_labels(evaluation, rows))
        labels = _get_labels(evaluation, chosen)
        _draw_grid(sheet, (MARGIN + left, HEADER), grid, labels, [*labels, "others"])
    sheet.save(path)


def _get_labels(evaluation: Evaluation, rows: NDArray[np.int32]) -> list[str]:
    return [evaluation.space.labels[row] for row in rows]


def _choose_most_confused(evaluation: Evaluation, pairs: list[ConfusedPair]) -> NDArray[np.int32]:
    """Return the labels of the most confused pairs, in the data set's order, filled up with others that were drawn."""
    confused = [row for pair in pairs for row in (pair.first, pair.second)]
    drawn = set(evaluation.truth.tolist())
    chosen = [row for row in dict.fromkeys([*confused, *sorted(drawn)]) if row in drawn][:MOST_CONFUSED]
    return np.array(sorted(chosen), dtype=np.int32)


def _compute_cell(count: int) -> int:
    """Return the height and width of a cell in px."""
    return int(np.clip(_OVERVIEW // count, 26, 64))


def _compute_size(columns: int, left: int) -> tuple[int, int]:
    """Return the size of a sheet in px. left: room for the overview."""
    side = max(columns * _compute_cell(columns), _MIN_SIDE)
    return left + side + _LABEL + 2 * MARGIN, columns * _compute_cell(columns) + _LABEL + HEADER + MARGIN


def _draw_grid(sheet: Sheet, at: tuple[int, int], shares: Shares, rows: list[str], columns: list[str]) -> None:
    cell = _compute_cell(len(columns))
    size = min(24, round(cell * 0.68))
    x, y = at[0] + _LABEL, at[1] + _LABEL
    correct = np.eye(*shares.shape) > 0
    colors = np.where(correct[..., None], palette.tint(shares, palette.CORRECT), palette.tint(shares, palette.WRONG))
    for i, row in enumerate(rows):
        sheet.draw_text((x - 6, y + (i + 0.5) * cell), row, size, anchor="rm", width=_LABEL - 10)
        for j in range(len(columns)):
            corner = (x + j * cell, y + i * cell)
            sheet.fill_box(corner, (cell, cell), tuple(colors[i, j].tolist()))
            if cell >= _NUMBERED and round(100 * shares[i, j]):
                _draw_number(sheet, corner, cell, float(shares[i, j]))
    _draw_rules(sheet, (x, y), cell, (len(columns), len(rows)))
    for j, column in enumerate(columns):
        sheet.draw_column_label((x + (j + 0.5) * cell, y - 6), column, size, (cell - 2, _LABEL - 10))


def _draw_rules(sheet: Sheet, at: tuple[int, int], cell: int, size: tuple[int, int]) -> None:
    """Draw the lines between cells. size: columns and rows."""
    (x, y), (columns, rows) = at, size
    for k in range(columns + 1):
        sheet.draw_line((x + k * cell, y), (x + k * cell, y + rows * cell))
    for k in range(rows + 1):
        sheet.draw_line((x, y + k * cell), (x + columns * cell, y + k * cell))


def _draw_number(sheet: Sheet, at: tuple[int, int], cell: int, share: float) -> None:
    color = palette.BACKGROUND if share > 0.3 else palette.INK
    sheet.draw_text((at[0] + cell / 2, at[1] + cell / 2), f"{100 * share:.0f}", SMALL, color, "mm")


def _draw_overview(sheet: Sheet, at: tuple[int, int], side: int, shares: Shares, labels: list[str]) -> None:
    """Draw all labels, each a dot or less; wrong predictions are drawn larger than they are, to be seen."""
    diagonal = np.diag(shares)[:, None] * np.eye(len(shares))
    correct, wrong = _draw_dots(diagonal, side), _draw_dots(shares - diagonal, side)
    pixels = np.where(wrong[..., None] > 0, palette.tint(wrong, palette.WRONG), palette.tint(correct, palette.CORRECT))
    x, y = at[0] + _LABEL, at[1] + _LABEL
    sheet.paste_pixels((x, y), pixels)
    for start, end in (((0, 0), (side, 0)), ((0, 0), (0, side)), ((side, 0), (side, side)), ((0, side), (side, side))):
        sheet.draw_line((x + start[0], y + start[1]), (x + end[0], y + end[1]))
    for i in np.linspace(0, len(labels) - 1, _TICKS).astype(int):
        offset = (i + 0.5) / len(labels) * side
        sheet.draw_line((x - 5, y + offset), (x, y + offset), palette.FAINT)
        sheet.draw_line((x + offset, y - 5), (x + offset, y), palette.FAINT)
        sheet.draw_text((x - 9, y + offset), labels[i], 18, anchor="rm", width=_LABEL - 12)
        sheet.draw_column_label((x + offset, y - 9), labels[i], 18, (side / _TICKS - 6, _LABEL - 12))


def _draw_dots(shares: NDArray[np.floating], side: int) -> NDArray[np.float64]:
    """(n, n) -> (side, side): each pixel is the largest share near it."""
    gray = np.zeros((side, side), np.uint8)
    rows, columns = np.nonzero(shares)
    scale = side / len(shares)
    places = ((rows + 0.5) * scale).astype(int), ((columns + 0.5) * scale).astype(int)
    np.maximum.at(gray, places, np.ceil(255 * shares[rows, columns]).astype(np.uint8))
    size = max(3, int(scale) | 1)
    return np.asarray(Image.fromarray(gray).filter(ImageFilter.MaxFilter(size))) / 255
