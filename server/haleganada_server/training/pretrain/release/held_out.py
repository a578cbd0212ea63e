"""What was kept out of training, embedded: it chooses the head's shrinkage, and probabilities are fitted on it.

Omniglot's alphabets have few letters, and letters of one are seldom alike. Scripts of hundreds of labels are mostly
syllables that differ in one sign, so syllables of two of those scripts are drawn from fonts beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.training.pretrain.one_shot import Embeddings, thumbnails, typical_drawers
from haleganada_server.training.pretrain.synthesis.fonts import HELD_OUT_SCRIPTS
from haleganada_server.training.pretrain.synthesis.library import Folders, FontScript, font_scripts
from haleganada_server.training.pretrain.synthesis.rasters import draw
from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_ALPHABETS, Scans, load_devanagari

from .measure import ProductEmbedder, product_rasters

FIRST_HALF = ("Balinese", "Sanskrit", "Tifinagh")
"""Of the held-out alphabets: a calibration fitted on these is measured on the others, and the reverse."""
SYLLABLES, DRAWINGS = 600, 22
"""Of each script drawn from fonts: enough for 400 labels with twenty samples of each."""
USUAL_DRAWERS = 0.8
"""Share of the drawers, the most typical ones, that probabilities are fitted on: the strangest fifth drew something
else now and then, which nobody does who teaches a recogniser to read his own hand.
"""
_SIDE = 96  # of a syllable's raster; the server frames it anew


@dataclass(frozen=True)
class KeptOut:
    """Embeddings, (characters, drawings, d) each; beside them those of what was trained on."""

    background: list[Embeddings]
    """Of the alphabets that were trained on."""
    alphabets: dict[str, Embeddings]
    rasters: dict[str, NDArray[np.uint8]]
    """Of the held-out alphabets, (characters, drawers, 128, 128)."""
    turned: dict[str, Embeddings]
    """The held-out alphabets turned by 90 degrees: further characters, for tasks with many ways."""
    devanagari: Embeddings | None
    """Another set of writers, with enough drawings for twenty shots."""
    syllables: list[Embeddings]
    """Of HELD_OUT_SCRIPTS; empty without their fonts."""

    def pools(self, names: Iterable[str] = HELD_OUT_ALPHABETS, drawers: float = 1.0) -> list[Embeddings]:
        """Single alphabets, all of them together, and together with their turned copies; then Devanagari. drawers: the
        share of an alphabet's drawers, the most typical ones first.
        """
        single, turned = [], []
        for name in names:
            rows = self._drawers(name, drawers)
            single.append(self.alphabets[name][:, rows])
            turned.append(self.turned[name][:, rows])
        pools = [*single, np.concatenate(single), np.concatenate(single + turned)]
        return pools if self.devanagari is None else [*pools, self.devanagari]

    def _drawers(self, name: str, share: float) -> list[int]:
        number = self.rasters[name].shape[1]
        if share == 1:
            return list(range(number))
        return typical_drawers(thumbnails(self.rasters[name]), round(share * number))


def embed_kept_out(embedder: ProductEmbedder, alphabets: dict[str, list[Scans]], folders: Folders) -> KeptOut:
    """One pass of the product's own pipeline over all background and evaluation drawings."""
    background = [embedder.pool(c) for a, c in alphabets.items() if a not in HELD_OUT_ALPHABETS]
    rasters = {a: np.stack([product_rasters(c) for c in alphabets[a]]) for a in HELD_OUT_ALPHABETS}
    held_out = {a: embedder.of_rasters(x) for a, x in rasters.items()}
    turned = {a: embedder.pool([np.rot90(c, axes=(1, 2)) for c in alphabets[a]]) for a in HELD_OUT_ALPHABETS}
    devanagari = load_devanagari(folders.data)
    syllables = [embedder.pool(drawn_syllables(script)) for script in font_scripts(folders, HELD_OUT_SCRIPTS)]
    return KeptOut(background, held_out, rasters, turned, embedder.pool(devanagari) if devanagari else None, syllables)


def drawn_syllables(script: FontScript, seed: int = 1) -> list[Scans]:
    """Up to 600 of a script's units, each (22, 96, 96) with 255 = ink: each drawing by another hand, from any of the
    fonts that have it.
    """
    rng = np.random.default_rng(seed)
    chosen = sorted(rng.permutation(len(script.units))[:SYLLABLES])
    return [_drawn(script, unit, rng) for unit in chosen]


def _drawn(script: FontScript, unit: int, rng: np.random.Generator) -> Scans:
    fonts = script.drawings[unit]
    return np.stack([draw(fonts[int(rng.integers(len(fonts)))], rng, side=_SIDE) for _ in range(DRAWINGS)])
