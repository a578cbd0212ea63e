"""Write golden_embeddings.json again: python -m tests.contract.encoding.make_golden_embeddings

Raise core.glyphs.ports.DRAWING_VERSION first, unless only the weights are new: embeddings that were taught would
otherwise be compared with others.
"""

from __future__ import annotations

import io
import json
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from haleganada_server.config import SHIPPED_WEIGHTS
from haleganada_server.core.glyphs.ports import DRAWING_VERSION
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import network_input, rasterize
from numpy.typing import NDArray
from PIL import Image

GOLDEN = Path(__file__).with_name("golden_embeddings.json")
UNIT = 1e-4
"""Of the numbers in the file."""


def main() -> None:
    embeddings = {name: np.rint(vector / UNIT).astype(int).tolist() for name, vector in embed_drawings().items()}
    facts = {"drawing_version": DRAWING_VERSION, "hash": load_weights(SHIPPED_WEIGHTS).hash, "embeddings": embeddings}
    GOLDEN.write_text(json.dumps(facts) + "\n", encoding="utf-8")


def embed_drawings() -> dict[str, NDArray[np.float32]]:
    """Return the embedding of each golden drawing, (256,), by the shipped weights."""
    weights = load_weights(SHIPPED_WEIGHTS)
    embedder = OnnxEmbedder(weights, partial(network_input, side=weights.side))
    rasters = np.stack([rasterize(glyph) for glyph in DRAWINGS.values()])
    return dict(zip(DRAWINGS, embedder.embed(rasters), strict=True))


def _strokes(*lines: list[tuple[float, float]], pen: float = 10) -> Glyph:
    """Return strokes through corners on a grid of 10 x 10, with points in between as a pen gives them."""
    strokes = []
    for line in lines:
        points = [
            (28.0 * (a[axis] + (b[axis] - a[axis]) * step / 16) for axis in (0, 1))
            for a, b in pairwise(line)
            for step in range(17)
        ]
        x, y = zip(*points, strict=True)
        strokes.append(Stroke(x, y))
    return Glyph(ink=Ink(tuple(strokes), 280, 280, pen))


def _picture(height: int, width: int) -> Glyph:
    """Return a picture of a black angle on white, to be scaled and framed."""
    gray = np.full((height, width), 255, np.uint8)
    gray[height // 5 : 4 * height // 5, width // 4 : width // 4 + height // 20] = 0
    gray[4 * height // 5 - height // 20 : 4 * height // 5, width // 4 : 3 * width // 4] = 0
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "PNG")
    return Glyph(image=buffer.getvalue())


DRAWINGS = {
    "cross": _strokes([(2, 2), (8, 8)], [(8, 2), (2, 8)]),
    "zigzag": _strokes([(1, 4), (3, 6), (5, 4), (7, 6), (9, 4)], pen=4),
    "open box": _strokes([(3, 1), (3, 9), (7, 9), (7, 1)], [(5, 3), (5, 5)], pen=24),
    "dot": _strokes([(5, 5), (5, 5)], pen=16),
    "small picture": _picture(60, 44),
    "large picture": _picture(700, 900),
}
"""No sines and no photographs: machines round and decode them differently."""


if __name__ == "__main__":
    main()
