"""Embeddings of held-out drawings, which choose the head's shrinkage and fit its calibration.

Omniglot's alphabets have few letters, rarely similar ones. Scripts with hundreds of labels consist mostly of syllables
that differ in one sign, so syllables of such a script are rendered from fonts as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.training.pretrain.one_shot import Embeddings, choose_typical_writers, make_thumbnails
from haleganada_server.training.pretrain.synthesis.fonts import HELD_OUT_SCRIPTS
from haleganada_server.training.pretrain.synthesis.library import Folders, FontScript, load_font_scripts
from haleganada_server.training.pretrain.synthesis.rasters import draw
from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_ALPHABETS, Scans, load_devanagari

from .measure import ProductEmbedder, make_product_rasters

FIRST_HALF = ("Balinese", "Sanskrit", "Tifinagh")
"""Half of the held-out alphabets: a calibration fitted on it is measured on the other half, and vice versa."""
SYLLABLES, DRAWINGS = 600, 22
"""Numbers for each script rendered from fonts: enough for 400 labels with twenty samples each."""
TYPICAL_SHARE = 0.8
"""Share of the writers, the most typical ones, to fit the calibration on: the others now and then drew something else,
which nobody does who teaches a recognizer their own handwriting.
"""
_SIDE = 96  # px, of a syllable's raster, which the server's pipeline frames again


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Embeddings, (characters, drawings, d) each, of held-out drawings, and of the background for comparison."""

    background: list[Embeddings]
    """Alphabets of the training set."""
    alphabets: dict[str, Embeddings]
    rasters: dict[str, NDArray[np.uint8]]
    """Rasters of the held-out alphabets, (characters, writers, 128, 128)."""
    rotated: dict[str, Embeddings]
    """The held-out alphabets rotated by 90 degrees: further characters."""
    devanagari: Embeddings | None
    """Other writers, with enough drawings for twenty shots."""
    syllables: list[Embeddings]
    """Syllables of HELD_OUT_SCRIPTS; empty without their fonts."""

    def make_pools(self, names: Iterable[str] = HELD_OUT_ALPHABETS, writers: float = 1.0) -> list[Embeddings]:
        """Return each alphabet, its rotated copy, and at last Devanagari.

        writers: share of each alphabet's writers, the most typical ones.
        """
        pools = []
        for name in names:
            rows = self._choose_writers(name, writers)
            pools += [self.alphabets[name][:, rows], self.rotated[name][:, rows]]
        return pools if self.devanagari is None else [*pools, self.devanagari]

    def _choose_writers(self, name: str, share: float) -> list[int]:
        number = self.rasters[name].shape[1]
        if share == 1:
            return list(range(number))
        return choose_typical_writers(make_thumbnails(self.rasters[name]), round(share * number))


def embed_held_out(embedder: ProductEmbedder, alphabets: dict[str, list[Scans]], folders: Folders) -> HeldOut:
    """Embed all background and held-out drawings with the server's own pipeline."""
    embed, devanagari = embedder.embed_characters, load_devanagari(folders.data)
    rasters = {a: np.stack([make_product_rasters(c) for c in alphabets[a]]) for a in HELD_OUT_ALPHABETS}
    return HeldOut(
        background=[embed(c) for a, c in alphabets.items() if a not in HELD_OUT_ALPHABETS],
        alphabets={a: embedder.embed_rasters(x) for a, x in rasters.items()},
        rasters=rasters,
        rotated={a: embed([np.rot90(c, axes=(1, 2)) for c in alphabets[a]]) for a in HELD_OUT_ALPHABETS},
        devanagari=embed(devanagari) if devanagari else None,
        syllables=[embed(draw_syllables(script)) for script in load_font_scripts(folders, HELD_OUT_SCRIPTS)],
    )


def draw_syllables(script: FontScript, seed: int = 1) -> list[Scans]:
    """Draw up to 600 units of a script, (22, 96, 96) each, 255 = ink, every drawing varied and from a random font."""
    rng = np.random.default_rng(seed)
    chosen = sorted(rng.permutation(len(script.units))[:SYLLABLES])
    return [_draw_unit(script, unit, rng) for unit in chosen]


def _draw_unit(script: FontScript, unit: int, rng: np.random.Generator) -> Scans:
    fonts = script.drawings[unit]
    return np.stack([draw(fonts[int(rng.integers(len(fonts)))], rng, side=_SIDE) for _ in range(DRAWINGS)])
