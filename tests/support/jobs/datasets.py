"""A small but real data set: drawings of two characters, added to a server without its RPCs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from haleganada_server.core.datasets.dataset import DatasetInfo, DatasetOptions
from haleganada_server.core.datasets.datasets import Datasets
from numpy.typing import NDArray


def crosses_and_bars(root: Path, each: int = 12) -> Path:
    """Write an .npz with images of a cross (x) and a vertical bar (l), dark on light, 28 x 28, all different."""
    rng = np.random.default_rng(1)
    labels = "xl" * each
    images = np.stack([255 - _draw(label, rng) for label in labels])
    path = root / "letters.npz"
    np.savez(path, images=images, labels=np.array(list(labels)))
    return path


def _draw(label: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return (28, 28), 255 = ink."""
    image = np.zeros((28, 28), np.uint8)
    columns = [(0.0, 15.0), (15.0, 0.0)] if label == "x" else [(7.0, 7.0)]
    for begin, end in columns:
        for step, column in enumerate(np.linspace(begin, end, 16) + rng.normal(0, 0.8, 16) + 6):
            left = int(np.clip(column, 0, 25))
            image[6 + step, left : left + 2] = 255
    return image


def add_letters(datasets: Datasets, root: Path, name: str = "letters") -> DatasetInfo:
    """Add such a data set."""
    path = crosses_and_bars(root)
    return datasets.add(path, path.name, DatasetOptions(name, validation_share=0.25, test_share=0.25))
