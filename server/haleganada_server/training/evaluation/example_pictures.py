"""confused_pairs.png and disagreements.png: the drawings themselves, which tell more than any figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from haleganada_server.training.common.lettering import Lettering

from . import palette
from .metrics import EXAMPLES, Measured, Pair
from .palette import Color
from .recognisers import Rasters
from .sheet import DRAWING, HEAD, MARGIN, Sheet, Title, percent

PAIRS = 16
_GAP = 6  # px between drawings
_GLYPHS = 150  # px for the two labels, printed
_NAME = 84  # px of a label in a caption, at most
_PAIR = (_GLYPHS + EXAMPLES * (DRAWING + _GAP) + 130, DRAWING + 48)  # px

_ACROSS, _LINE, _SIDE = 4, 28, 96  # cells a row; px


def pairs_picture(
    path: Path, measured: Measured, pairs: list[Pair], rasters: Rasters, lettering: Lettering, title: Title
) -> None:
    """The pairs of labels that are confused most, two a row."""
    shown = pairs[:PAIRS]
    rows = -(-len(shown) // 2)
    about = f"Labels that are taken for one another, the {len(shown)} most frequent pairs of {len(pairs)}."
    about = about if shown else "No drawing was taken for another label."
    size = (2 * _PAIR[0] + 2 * MARGIN, HEAD + rows * _PAIR[1] + MARGIN)
    sheet = Sheet(*size, lettering, title, about)
    for i, pair in enumerate(shown):
        _pair(sheet, (MARGIN + i % 2 * _PAIR[0], HEAD + i // 2 * _PAIR[1]), measured, pair, rasters)
    sheet.save(path)


def _pair(sheet: Sheet, at: tuple[int, int], measured: Measured, pair: Pair, rasters: Rasters) -> None:
    first, second = (measured.space.labels[row] for row in (pair.first, pair.second))
    x, y = at
    for k, label in enumerate((first, second)):
        sheet.text(
            (x + _GLYPHS * (0.22 + 0.48 * k), y + 20 + DRAWING / 2), label, 34, anchor="mm", width=_GLYPHS * 0.44
        )
    x += _GLYPHS
    examples = pair.examples()
    sides = ((first, second, examples[0], len(pair.first_as_second)),
             (second, first, examples[1], len(pair.second_as_first)))  # fmt: skip
    for is_, read, items, count in sides:
        if not items:
            continue
        caption = [(is_, palette.INK), (" as ", palette.FAINT), (read, palette.WRONG), (f"  {count}×", palette.FAINT)]
        told = sheet.phrase((x, y + 8), caption, 16, each=_NAME)
        for i, item in enumerate(items):
            sheet.drawing((x + i * (DRAWING + _GAP), y + 24), rasters[measured.items[item]])
        x += max(round(told), len(items) * (DRAWING + _GAP)) + 24


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One drawing that recognisers answer differently. item: its row in the data set. answers: of each of them."""

    item: int
    label: str
    answers: tuple[str, ...]


def disagreements_picture(
    path: Path, several: list[Measured], names: Sequence[Title], shown: list[Disagreement], rasters: Rasters,
    lettering: Lettering, title: Title,
) -> None:  # fmt: skip
    """several, names: of whom Disagreement.answers are, in this order."""
    cell = (300, max(_SIDE + 40, (1 + len(names)) * _LINE + 24))
    legend = HEAD + len(names) * 26
    height = legend + 12 + -(-len(shown) // _ACROSS) * cell[1] + MARGIN
    about = f"{len(shown)} drawings that they answer differently, with each one's answer."
    sheet = Sheet(_ACROSS * cell[0] + 2 * MARGIN, height, lettering, title, about)
    for i, (name, measured) in enumerate(zip(names, several, strict=True)):
        parts: list[tuple[str, Color]] = [(f"{_letter(i)}  ", palette.FAINT), *((part, palette.INK) for part in name)]
        told = (f"  {percent(float(measured.correct.mean()))}", palette.FAINT)
        sheet.phrase((MARGIN, HEAD + i * 26 + 4), [*parts, told], 18)
    for i, one in enumerate(shown):
        place = (MARGIN + i % _ACROSS * cell[0], legend + 12 + i // _ACROSS * cell[1])
        _disagreement(sheet, place, one, rasters)
    sheet.save(path)


def _disagreement(sheet: Sheet, at: tuple[int, int], one: Disagreement, rasters: Rasters) -> None:
    x, y = at
    sheet.drawing((x, y + 8), rasters[one.item], _SIDE)
    x += _SIDE + 14
    sheet.phrase((x, y + 18), [("is ", palette.FAINT), (one.label, palette.INK)], 20, width=180)
    for i, answer in enumerate(one.answers):
        color = palette.RIGHT if answer == one.label else palette.WRONG
        sheet.phrase(
            (x, y + 18 + (i + 1) * _LINE), [(f"{_letter(i)}  ", palette.FAINT), (answer, color)], 18, width=180
        )


def _letter(i: int) -> str:
    return chr(ord("A") + i)
