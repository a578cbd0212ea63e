"""Tiny data sets of drawn shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from haleganada_server.core.datasets.dataset import DATASET_SIDE, Part

SHAPES = ("I", "O", "X", "ಅ")


def draw_shape(label: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a bar, a ring, a cross or a corner, a little different each time: (64, 64) uint8."""
    y, x = np.mgrid[:DATASET_SIDE, :DATASET_SIDE] - (DATASET_SIDE - 1) / 2 + rng.normal(0, 2, (2, 1, 1))
    pen, reach = rng.uniform(2, 4), rng.uniform(20, 26)
    inside = np.maximum(abs(x), abs(y)) < reach
    ink = (
        (abs(x) < pen) & inside,
        abs(np.hypot(x, y) - reach + 4) < pen,
        (np.minimum(abs(x - y), abs(x + y)) < 1.4 * pen) & inside,
        (np.minimum(abs(x + reach - pen), abs(y - reach + pen)) < pen) & inside,
    )[label]
    return np.where(ink, np.uint8(255), np.uint8(0))


def draw_dots(number: int, rng: np.random.Generator) -> np.ndarray:
    """Draw random dots, which are no shape: (n, 64, 64) uint8."""
    return np.where(rng.random((number, DATASET_SIDE, DATASET_SIDE)) < 0.3, np.uint8(255), np.uint8(0))


def write_dataset(
    folder: Path, counts: dict[Part, int], classes: int = 3, seed: int = 0, unknown: int = 0
) -> dict[str, Any]:
    """Write a data set as the server stores it, `counts` drawings of each label, and of each part `unknown` ones of
    none; return its entry in a request.
    """
    rng = np.random.default_rng(seed)
    parts = np.concatenate([np.full(classes * count, part, np.uint8) for part, count in counts.items()])
    labels = np.concatenate([np.arange(classes * count, dtype=np.int32) % classes for count in counts.values()])
    folder.mkdir(parents=True, exist_ok=True)
    drawn = np.array([draw_shape(label, rng) for label in labels], np.uint8).reshape(-1, DATASET_SIDE, DATASET_SIDE)
    parts = np.concatenate([parts, np.repeat(np.array(list(counts), np.uint8), unknown)])
    labels = np.concatenate([labels, np.full(unknown * len(counts), -1, np.int32)])
    np.save(folder / "rasters.npy", np.concatenate([drawn, draw_dots(unknown * len(counts), rng)]))
    np.save(folder / "labels.npy", labels)
    np.save(folder / "parts.npy", parts)
    np.save(folder / "writers.npy", np.full(len(labels), -1, np.int32))
    return {"folder": str(folder), "name": "shapes", "sha256": "5" * 64, "labels": list(SHAPES[:classes])}
