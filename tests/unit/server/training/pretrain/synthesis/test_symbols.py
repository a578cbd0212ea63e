"""Symbols by the pens of strangers: read, held out, and ordered by likeness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from haleganada_server.training.pretrain.synthesis.likeness import rank_by_likeness
from haleganada_server.training.pretrain.synthesis.polylines import Drawing
from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_SYMBOLS, load_symbols

SYMBOLS = 2 * HELD_OUT_SYMBOLS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with ten symbols, which are the groups of twenty classes, two drawings each."""
    classes = np.repeat(np.arange(2 * SYMBOLS), 2)
    # Two strokes each: a slanted line, the steeper the higher its group, and a point.
    strokes = [np.array(s) for c in classes for s in ([(0, 0), (200, 20 * (c // 2))], [(100, 250)])]
    np.savez(
        tmp_path / "strokes.npz",
        points=np.concatenate(strokes).astype(np.uint8),
        stroke_end=np.cumsum([len(s) for s in strokes]),
        glyph_end=2 * np.arange(1, len(classes) + 1),
        y=classes,
        group=np.arange(2 * SYMBOLS) // 2,
    )
    return tmp_path


def test_symbols_that_look_alike_are_one(folder: Path) -> None:
    symbols = load_symbols(folder) + load_symbols(folder, held_out=True)
    assert [len(drawings) for drawings in symbols] == [4] * SYMBOLS
    assert all(len(drawing.counts) == 2 for drawings in symbols for drawing in drawings)


def test_a_part_is_held_out(folder: Path) -> None:
    trained, held_out = load_symbols(folder), load_symbols(folder, held_out=True)
    assert len(held_out) == SYMBOLS // HELD_OUT_SYMBOLS
    slopes = [{round(float(np.ptp(d.strokes()[0][:, 1])), 3) for c in part for d in c} for part in (trained, held_out)]
    assert slopes[0].isdisjoint(slopes[1])


def test_likeness_goes_from_a_symbol_to_its_opposite() -> None:
    lines = [[_draw_line(angle)] for angle in (0.0, 0.2, 0.8, np.pi / 2)]
    assert rank_by_likeness(lines)[0].tolist() == [0, 1, 2, 3]
    assert rank_by_likeness([]).shape == (0, 0)


def _draw_line(angle: float) -> Drawing:
    return Drawing.from_strokes([np.array([(0, 0), (np.cos(angle), np.sin(angle))])]).center()
