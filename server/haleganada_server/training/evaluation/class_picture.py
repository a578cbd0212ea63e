"""class_accuracy.png: how many drawings of each label were recognized, with intervals.

Up to 64 labels are all shown; with more, those with mistakes, the worst 40 at most, and a histogram of all.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haleganada_server.training.common.lettering import Lettering

from . import palette
from .metrics import ClassMetrics, Evaluation, wilson_interval
from .sheet import HEADER, MARGIN, SMALL, TEXT, Sheet, Title, format_percent

ALL_SHOWN = 64
WORST_SHOWN = 40
_ROW, _COLUMN = 30, 640  # px
_LABEL, _BAR = 110, 260  # px
_HISTOGRAM = 300  # px
_BINS = 10


def draw_class_accuracy(
    path: Path, evaluation: Evaluation, classes: ClassMetrics, lettering: Lettering, title: Title
) -> None:
    """Draw a bar for each label, the worst first."""
    shown, about = _choose_labels(classes)
    with_histogram = len(classes.rows) > ALL_SHOWN
    rows = -(-len(shown) // 2) if len(shown) > 12 else len(shown)
    columns = 2 if with_histogram else -(-len(shown) // rows)  # the histogram's text needs the width of two
    height = HEADER + rows * _ROW + MARGIN + (_HISTOGRAM if with_histogram and len(shown) else 0)
    sheet = Sheet(columns * _COLUMN + 2 * MARGIN, height, lettering, title, about)
    for i, k in enumerate(shown):
        at = (MARGIN + i // rows * _COLUMN, HEADER + i % rows * _ROW)
        _draw_bar(sheet, at, evaluation, classes, int(k))
    if with_histogram and len(shown):
        _draw_histogram(sheet, (MARGIN, HEADER + rows * _ROW + MARGIN), columns * _COLUMN, classes.recall)
    sheet.save(path)


def _choose_labels(classes: ClassMetrics) -> tuple[NDArray[np.intp], str]:
    """Return the positions of the labels to show, the worst first, and the subtitle."""
    order, labels = classes.worst_first(), len(classes.rows)
    wrong = order[classes.recall[order] < 1]
    intervals = "Thin lines: 95 % intervals."
    if not len(wrong):
        summary = f"Every drawing of all {labels} labels was recognized, {int(classes.support.sum()):,} of them."
        return (wrong, summary) if labels > ALL_SHOWN else (order, f"{summary} {intervals}")
    if labels <= ALL_SHOWN:
        return order, f"{labels} labels, {len(wrong)} with mistakes, the worst first. {intervals}"
    if len(wrong) > WORST_SHOWN:
        return wrong[:WORST_SHOWN], (
            f"The worst {WORST_SHOWN} of {len(wrong)} labels with mistakes, of {labels}. {intervals}"
        )
    which = f"The {len(wrong)} labels" if len(wrong) > 1 else "The only label"
    return wrong, f"{which} with mistakes, of {labels}. {intervals}"


def _draw_bar(sheet: Sheet, at: tuple[int, int], evaluation: Evaluation, classes: ClassMetrics, k: int) -> None:
    x, y = at[0] + _LABEL, at[1] + _ROW / 2
    correct, n, row = int(classes.correct[k]), int(classes.support[k]), int(classes.rows[k])
    low, high = wilson_interval(correct, n)
    sheet.draw_text((x - 8, y), evaluation.space.labels[row], 20, anchor="rm", width=_LABEL - 12)
    sheet.fill_box((x, y - 8), (_BAR, 16), palette.LINE)
    sheet.fill_box((x, y - 8), (round(_BAR * correct / n), 16), palette.CORRECT)
    sheet.draw_line((x + low * _BAR, y), (x + high * _BAR, y), palette.INK)
    for end in (low, high):
        sheet.draw_line((x + end * _BAR, y - 4), (x + end * _BAR, y + 4), palette.INK)
    sheet.draw_text((x + _BAR + 10, y), f"{correct} of {n}", SMALL, palette.INK, width=84)
    if mistake := evaluation.find_mistaken_for(row):
        label, times = mistake
        parts = [("taken for ", palette.FAINT), (label, palette.WRONG), (f"  {times}×", palette.FAINT)]
        sheet.draw_line_of_text((x + _BAR + 98, y), parts, width=_COLUMN - _LABEL - _BAR - 108)


def _draw_histogram(sheet: Sheet, at: tuple[int, int], width: int, recall: NDArray[np.float64]) -> None:
    counts, _ = np.histogram(recall, _BINS, (0, 1))
    x, y, height = at[0] + 20, at[1] + 40, _HISTOGRAM - 120
    sheet.draw_text((at[0], at[1] + 6), "Number of labels by accuracy", TEXT)
    step = (width - 40) / _BINS
    for i, count in enumerate(counts.tolist()):
        tall = round(height * count / counts.max())
        sheet.fill_box((round(x + i * step + 4), y + 22 + height - tall), (round(step - 8), tall), palette.CORRECT)
        sheet.draw_text((x + (i + 0.5) * step, y + 10 + height - tall), str(count), SMALL, anchor="mm")
    for i in range(_BINS + 1):
        sheet.draw_text((x + i * step, y + 38 + height), f"{100 * i // _BINS} %", SMALL, palette.FAINT, "mm")
    sheet.draw_line((x, y + 22 + height), (x + _BINS * step, y + 22 + height), palette.FAINT)
    all_correct, none_correct = int((recall == 1).sum()), int((recall == 0).sum())
    summary = (
        f"mean {format_percent(float(recall.mean()))}; all drawings correct: {all_correct} labels; "
        f"none correct: {none_correct}"
    )
    sheet.draw_text((x + _BINS * step, at[1] + 6), summary, SMALL, palette.FAINT, "rm")
