"""Real drawings, if the development data is available: each gives a raster, and none looks like something else."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.vision import rasterize
from PIL import Image

from tests.unit.server.vision.drawings import Gray, encode_image

_DATA = os.environ.get("HALEGANADA_DATA", "")

pytestmark = pytest.mark.skipif(not _DATA, reason="set HALEGANADA_DATA to the folder of the development data")


def drawings(file: str, count: int) -> list[Gray]:
    """Return some drawings, 255 = ink."""
    path = Path(_DATA) / file
    if not path.exists():
        pytest.skip(f"{file} is not there")
    with np.load(path) as data:
        x = data["x"]
    return list(x[np.random.default_rng(0).permutation(len(x))[:count]])


def stretch_scan(scan: Gray) -> Gray:
    """Return the simplest framing: the ink box by a threshold, resized and centered."""
    strong = scan > scan.max() / 3
    rows, columns = np.flatnonzero(strong.any(1)), np.flatnonzero(strong.any(0))
    part = Image.fromarray(scan[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = 102.4 / max(part.size)
    part = part.resize((max(1, round(part.width * scale)), max(1, round(part.height * scale))))
    square = Image.new("L", (128, 128))
    square.paste(part, ((128 - part.width) // 2, (128 - part.height) // 2))
    return np.asarray(square)


@pytest.mark.parametrize("file", ["english_chars62/english_chars62_64.npz", "chars74k_kannada/chars74k_kannada_96.npz"])
@pytest.mark.parametrize("inverted", [False, True])
def test_drawings_go_through_whole(file: str, inverted: bool) -> None:
    correlations = []
    for scan in drawings(file, 150):
        raster = rasterize(Glyph(image=encode_image(Image.fromarray(255 - scan if inverted else scan))))
        expected = stretch_scan(scan)
        correlations.append(float(np.corrcoef(raster.ravel(), expected.ravel())[0, 1]))
    assert np.median(correlations) > 0.95
    assert np.quantile(correlations, 0.02) > 0.7
