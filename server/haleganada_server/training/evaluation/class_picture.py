"""class_accuracy.png: how many drawings of each label were recognised, with intervals. Up to 64 labels are all shown;
with more, those with mistakes, the worst 40 at most, and how all of them are distributed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haleganada_server.training.common.lettering import Lettering

from . import palette
from .metrics import Classes, Measured, wilson, worst_first
from .sheet import HEAD, MARGIN, SMALL, TEXT, Sheet, Title, percent

MOST_NAMED = 64
NAMED = 40
_ROW, _COLUMN = 30, 640  # px
_NAME, _BAR = 110, 260  # px
_HISTOGRAM = 300  # px
_BINS = 10


def class_picture(path: Path, measured: Measured, classes: Classes, lettering: Lettering, title: Title) -> None:
    """The worst first."""
    shown, about = _chosen(classes)
    many = len(classes.rows) > MOST_NAMED
    rows = -(-len(shown) // 2) if len(shown) > 12 else len(shown)
    columns = 2 if many else -(-len(shown) // rows)  # the histogram's words need the width of two
    height = HEAD + rows * _ROW + MARGIN + (_HISTOGRAM if many and len(shown) else 0)
    sheet = Sheet(columns * _COLUMN + 2 * MARGIN, height, lettering, title, about)
    for i, k in enumerate(shown):
        place = (MARGIN + i // rows * _COLUMN, HEAD + i % rows * _ROW)
        _bar(sheet, place, measured, classes, int(k))
    if many and len(shown):
        _histogram(sheet, (MARGIN, HEAD + rows * _ROW + MARGIN), columns * _COLUMN, classes.recall)
    sheet.save(path)


def _chosen(classes: Classes) -> tuple[NDArray[np.intp], str]:
    """Which of `classes` are shown, the worst first, and what is said of them."""
    order, labels = worst_first(classes), len(classes.rows)
    wrong = order[classes.recall[order] < 1]
    intervals = "Thin lines: 95 % intervals."
    if not len(wrong):
        told = f"Every drawing of all {labels} labels was recognised, {int(classes.support.sum()):,} of them."
        return (wrong, told) if labels > MOST_NAMED else (order, f"{told} {intervals}")
    if labels <= MOST_NAMED:
        return order, f"{labels} labels, {len(wrong)} with mistakes, the worst first. {intervals}"
    if len(wrong) > NAMED:
        return wrong[:NAMED], f"The worst {NAMED} of {len(wrong)} labels with mistakes, of {labels}. {intervals}"
    which = f"The {len(wrong)} labels" if len(wrong) > 1 else "The only label"
    return wrong, f"{which} with mistakes, of {labels}. {intervals}"


def _bar(sheet: Sheet, at: tuple[int, int], measured: Measured, classes: Classes, k: int) -> None:
    x, y = at[0] + _NAME, at[1] + _ROW / 2
    right, n, row = int(classes.right[k]), int(classes.support[k]), int(classes.rows[k])
    low, high = wilson(right, n)
    sheet.text((x - 8, y), measured.space.labels[row], 20, anchor="rm", width=_NAME - 12)
    sheet.box((x, y - 8), (_BAR, 16), palette.LINE)
    sheet.box((x, y - 8), (round(_BAR * right / n), 16), palette.RIGHT)
    sheet.line((x + low * _BAR, y), (x + high * _BAR, y), palette.INK)
    for end in (low, high):
        sheet.line((x + end * _BAR, y - 4), (x + end * _BAR, y + 4), palette.INK)
    sheet.text((x + _BAR + 10, y), f"{right} of {n}", SMALL, palette.INK, width=84)
    if read := measured.read_as(row):
        parts = [("read as ", palette.FAINT), (read[0], palette.WRONG), (f"  {read[1]}×", palette.FAINT)]
        sheet.phrase((x + _BAR + 98, y), parts, width=_COLUMN - _NAME - _BAR - 108)


def _histogram(sheet: Sheet, at: tuple[int, int], width: int, recall: NDArray[np.float64]) -> None:
    counts, _ = np.histogram(recall, _BINS, (0, 1))
    x, y, height = at[0] + 20, at[1] + 40, _HISTOGRAM - 120
    sheet.text((at[0], at[1] + 6), "How many labels have which accuracy", TEXT)
    step = (width - 40) / _BINS
    for i, count in enumerate(counts.tolist()):
        tall = round(height * count / counts.max())
        sheet.box((round(x + i * step + 4), y + 22 + height - tall), (round(step - 8), tall), palette.RIGHT)
        sheet.text((x + (i + 0.5) * step, y + 10 + height - tall), str(count), SMALL, anchor="mm")
    for i in range(_BINS + 1):
        sheet.text((x + i * step, y + 38 + height), f"{100 * i // _BINS} %", SMALL, palette.FAINT, "mm")
    sheet.line((x, y + 22 + height), (x + _BINS * step, y + 22 + height), palette.FAINT)
    told = f"mean {percent(float(recall.mean()))}, all drawings right: {int((recall == 1).sum())} labels, "
    sheet.text(
        (x + _BINS * step, at[1] + 6), f"{told}none right: {int((recall == 0).sum())}", SMALL, palette.FAINT, "rm"
    )
