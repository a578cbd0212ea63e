"""confused_pairs.png and disagreements.png: the drawings themselves, which say more than any metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from haleganada_server.training.common.lettering import Lettering

from . import palette
from .metrics import EXAMPLES, ConfusedPair, Evaluation
from .palette import Color
from .recognizers import Rasters
from .sheet import DRAWING, HEADER, MARGIN, Sheet, Title, format_percent

PAIRS = 16
_GAP = 6  # px between drawings
_GLYPHS = 150  # px for the two labels, printed
_LABEL = 84  # px of a label in a caption, at most
_PAIR = (_GLYPHS + EXAMPLES * (DRAWING + _GAP) + 130, DRAWING + 48)  # px

_CELLS_PER_ROW, _LINE, _SIDE = 4, 28, 96  # the last two in px


def draw_confused_pairs(
    path: Path, evaluation: Evaluation, pairs: list[ConfusedPair], rasters: Rasters, lettering: Lettering, title: Title
) -> None:
    """Draw the most confused pairs of labels, two in a row."""
    shown = pairs[:PAIRS]
    rows = -(-len(shown) // 2)
    about = f"Labels that are taken for one another: the {len(shown)} most frequent pairs of {len(pairs)}."
    about = about if shown else "No drawing was taken for another label."
    size = (2 * _PAIR[0] + 2 * MARGIN, HEADER + rows * _PAIR[1] + MARGIN)
    sheet = Sheet(*size, lettering, title, about)
    for i, pair in enumerate(shown):
        _draw_pair(sheet, (MARGIN + i % 2 * _PAIR[0], HEADER + i // 2 * _PAIR[1]), evaluation, pair, rasters)
    sheet.save(path)


def _draw_pair(
    sheet: Sheet, at: tuple[int, int], evaluation: Evaluation, pair: ConfusedPair, rasters: Rasters
) -> None:  # fmt: skip
    first, second = (evaluation.space.labels[row] for row in (pair.first, pair.second))
    x, y = at
    for k, label in enumerate((first, second)):
        middle = (x + _GLYPHS * (0.22 + 0.48 * k), y + 20 + DRAWING / 2)
        sheet.draw_text(middle, label, 34, anchor="mm", width=_GLYPHS * 0.44)
    x += _GLYPHS
    examples = pair.examples()
    sides = (
        (first, second, examples[0], len(pair.first_as_second)),
        (second, first, examples[1], len(pair.second_as_first)),
    )
    for true, predicted, items, count in sides:
        if not items:
            continue
        caption = [
            (true, palette.INK), (" as ", palette.FAINT), (predicted, palette.WRONG), (f"  {count}×", palette.FAINT)
        ]  # fmt: skip
        caption_width = sheet.draw_line_of_text((x, y + 8), caption, 16, part_width=_LABEL)
        for i, item in enumerate(items):
            sheet.paste_drawing((x + i * (DRAWING + _GAP), y + 24), rasters[evaluation.items[item]])
        x += max(round(caption_width), len(items) * (DRAWING + _GAP)) + 24


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A drawing that recognizers disagree on. item: its row in the data set. predictions: one by each recognizer."""

    item: int
    label: str
    predictions: tuple[str, ...]


def draw_disagreements(
    path: Path, evaluations: list[Evaluation], names: Sequence[Title], shown: list[Disagreement], rasters: Rasters,
    lettering: Lettering, title: Title,
) -> None:  # fmt: skip
    """Draw drawings with each recognizer's prediction. evaluations, names: in the order of Disagreement.predictions."""
    cell = (300, max(_SIDE + 40, (1 + len(names)) * _LINE + 24))
    legend_end = HEADER + len(names) * 26
    height = legend_end + 12 + -(-len(shown) // _CELLS_PER_ROW) * cell[1] + MARGIN
    about = f"{len(shown)} drawings on which the models’ predictions differ."
    sheet = Sheet(_CELLS_PER_ROW * cell[0] + 2 * MARGIN, height, lettering, title, about)
    for i, (name, evaluation) in enumerate(zip(names, evaluations, strict=True)):
        parts: list[tuple[str, Color]] = [(f"{_letter(i)}  ", palette.FAINT), *((part, palette.INK) for part in name)]
        accuracy = (f"  {format_percent(float(evaluation.correct.mean()))}", palette.FAINT)
        sheet.draw_line_of_text((MARGIN, HEADER + i * 26 + 4), [*parts, accuracy], 18)
    for i, disagreement in enumerate(shown):
        at = (MARGIN + i % _CELLS_PER_ROW * cell[0], legend_end + 12 + i // _CELLS_PER_ROW * cell[1])
        _draw_disagreement(sheet, at, disagreement, rasters)
    sheet.save(path)


def _draw_disagreement(sheet: Sheet, at: tuple[int, int], disagreement: Disagreement, rasters: Rasters) -> None:
    x, y = at
    sheet.paste_drawing((x, y + 8), rasters[disagreement.item], _SIDE)
    x += _SIDE + 14
    true = [("true ", palette.FAINT), (disagreement.label, palette.INK)]
    sheet.draw_line_of_text((x, y + 18), true, 20, width=180)
    for i, predicted in enumerate(disagreement.predictions):
        color = palette.CORRECT if predicted == disagreement.label else palette.WRONG
        parts = [(f"{_letter(i)}  ", palette.FAINT), (predicted, color)]
        sheet.draw_line_of_text((x, y + 18 + (i + 1) * _LINE), parts, 18, width=180)


def _letter(i: int) -> str:
    return chr(ord("A") + i)
