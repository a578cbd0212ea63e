"""Miniature data to pre-train on."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

CHARACTERS, WRITERS = 6, 12


def scribble(rng: np.random.Generator, base: np.ndarray) -> np.ndarray:
    """Draw the polyline `base` (points, 2) in a 105 px square, a little different each time."""
    points = (base + rng.normal(0, 2, base.shape)).round().astype(np.int32)
    import cv2

    return np.asarray(cv2.polylines(np.zeros((105, 105), np.uint8), [points[:, None]], False, 1, 2))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder laid out like the Omniglot background set, with eight small alphabets."""
    from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_ALPHABETS

    folder = tmp_path_factory.mktemp("data")
    (folder / "omniglot").mkdir()
    rng = np.random.default_rng(0)
    names = [f"background/{a}/character{c:02}" for a in ("Braille", "Greek", *HELD_OUT_ALPHABETS) for c in range(6)]
    images = [scribble(rng, base) for base in rng.integers(15, 90, (len(names), 6, 2)) for _ in range(WRITERS)]
    np.savez(
        folder / "omniglot" / "background_105.npz",
        bits=np.packbits(np.stack(images).reshape(len(images), -1), axis=1),
        y=np.repeat(np.arange(len(names)), WRITERS).astype(np.int16),
        drawer=np.tile(np.arange(WRITERS), len(names)).astype(np.uint8),
        classes=np.array(names),
    )
    for part in (1, 2):
        with zipfile.ZipFile(folder / "omniglot" / f"strokes_background_small{part}.zip", "w") as archive:
            for i in range(8):
                name = f"strokes_background_small{part}/Greek/character{i:02}/{i}_01.txt"
                archive.writestr(name, f"START\n10,-20,0\n{40 + i},-60,9\n90,-{30 + i},20\nBREAK\n")
    return folder
