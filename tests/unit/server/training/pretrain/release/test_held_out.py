"""Held-out drawings for calibration: pools of writers, and syllables from fonts."""

from __future__ import annotations

import numpy as np
from haleganada_server.training.pretrain.release.held_out import DRAWINGS, HeldOut, draw_syllables
from haleganada_server.training.pretrain.synthesis.fonts import HELD_OUT_SCRIPTS, SCRIPTS
from haleganada_server.training.pretrain.synthesis.library import Library

LETTERS, WRITERS, OUTLIER = 3, 5, 2


def make_held_out() -> HeldOut:
    """Return an alphabet of three letters by five writers, the third of whom draws elsewhere in the raster.

    Embeddings are (letter, writer).
    """
    rasters = np.zeros((LETTERS, WRITERS, 32, 32), np.uint8)
    rasters[:, :, 4:12, 4:12] = 255
    rasters[:, OUTLIER] = np.rot90(rasters[:, OUTLIER], 2, axes=(1, 2))
    z = np.stack(np.meshgrid(np.arange(LETTERS), np.arange(WRITERS), indexing="ij"), -1).astype(np.float32)
    return HeldOut(
        background=[], alphabets={"A": z}, rasters={"A": rasters}, rotated={"A": -z}, devanagari=None, syllables=[]
    )


def test_pools_have_all_writers_in_order() -> None:
    pools = make_held_out().make_pools(["A"])
    assert [pool.shape for pool in pools] == [(LETTERS, WRITERS, 2)] * 2
    assert (pools[0][1, :, 1] == np.arange(WRITERS)).all()
    assert (pools[1] == -pools[0]).all(), "the rotated copy"


def test_the_outlier_is_excluded_from_all_pools() -> None:
    for pool in make_held_out().make_pools(["A"], 0.8):
        writers = np.abs(pool[..., 1])
        assert writers.shape[1] == WRITERS - 1 and OUTLIER not in writers
        assert (writers == writers[0]).all()  # the same for each letter, rotated or not


def test_syllables_vary_and_are_reproducible(library: Library) -> None:
    script = library.fonts[0]
    drawings = draw_syllables(script)
    assert [d.shape for d in drawings] == [(DRAWINGS, 96, 96)] * len(script.units)
    assert all((d > 127).any((1, 2)).all() for d in drawings)
    assert all(len(np.unique(d, axis=0)) == DRAWINGS for d in drawings)
    again = draw_syllables(script)
    assert all((one == other).all() for one, other in zip(drawings, again, strict=True))


def test_no_script_is_both_trained_on_and_held_out() -> None:
    assert not {s.name for s in SCRIPTS} & {s.name for s in HELD_OUT_SCRIPTS}
    assert not {f for s in SCRIPTS for f in s.fonts} & {f for s in HELD_OUT_SCRIPTS for f in s.fonts}
