"""What probabilities are fitted on."""

from __future__ import annotations

import numpy as np
from haleganada_server.training.pretrain.release.held_out import DRAWINGS, KeptOut, drawn_syllables
from haleganada_server.training.pretrain.synthesis.fonts import HELD_OUT_SCRIPTS, SCRIPTS
from haleganada_server.training.pretrain.synthesis.library import Library

LETTERS, DRAWERS, STRANGE = 3, 5, 2


def kept_out() -> KeptOut:
    """One alphabet of three letters by five drawers, of whom the third draws somewhere else. Embeddings tell letter and
    drawer.
    """
    rasters = np.zeros((LETTERS, DRAWERS, 32, 32), np.uint8)
    rasters[:, :, 4:12, 4:12] = 255
    rasters[:, STRANGE] = np.rot90(rasters[:, STRANGE], 2, axes=(1, 2))
    z = np.stack(np.meshgrid(np.arange(LETTERS), np.arange(DRAWERS), indexing="ij"), -1).astype(np.float32)
    return KeptOut([], {"A": z}, {"A": rasters}, {"A": -z}, None, [])


def test_all_drawers_are_in_the_pools_in_their_order() -> None:
    pools = kept_out().pools(["A"])
    assert [pool.shape for pool in pools] == [(LETTERS, DRAWERS, 2), (LETTERS, DRAWERS, 2), (2 * LETTERS, DRAWERS, 2)]
    assert (pools[0][1, :, 1] == np.arange(DRAWERS)).all()


def test_the_strangest_drawer_is_left_out_everywhere() -> None:
    for pool in kept_out().pools(["A"], 0.8):
        drawers = np.abs(pool[..., 1])
        assert drawers.shape[1] == DRAWERS - 1 and STRANGE not in drawers
        assert (drawers == drawers[0]).all()  # the same ones for each letter, turned or not


def test_syllables_are_drawn_by_many_hands_and_the_same_each_time(library: Library) -> None:
    script = library.fonts[0]
    drawn = drawn_syllables(script)
    assert [d.shape for d in drawn] == [(DRAWINGS, 96, 96)] * len(script.units)
    assert all((d > 127).any((1, 2)).all() for d in drawn)
    assert all(len(np.unique(d, axis=0)) == DRAWINGS for d in drawn)
    again = drawn_syllables(script)
    assert all((one == other).all() for one, other in zip(drawn, again, strict=True))


def test_no_script_is_both_trained_on_and_kept_out() -> None:
    assert not {s.name for s in SCRIPTS} & {s.name for s in HELD_OUT_SCRIPTS}
    assert not {f for s in SCRIPTS for f in s.fonts} & {f for s in HELD_OUT_SCRIPTS for f in s.fonts}
