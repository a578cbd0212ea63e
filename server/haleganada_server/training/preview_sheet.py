"""Drawings of a data set as a network receives them in training, pixel by pixel."""

from __future__ import annotations

import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from haleganada_server.core.dataset import Part
from haleganada_server.training.augment import draws
from haleganada_server.training.fit_data import FitData
from haleganada_server.training.ink_input import InkInput

_GAP = 2
"""Pixels between two pictures."""
_GROUND = 96
"""Grey of the sheet between the pictures, whose ink is white on black."""


def chosen_drawings(data: FitData, drawings: int, seed: int) -> NDArray[np.int64]:
    """Positions in the training part, at most `drawings`, by chance; as many labels among them as there can be."""
    labels = data.targets(data.part(Part.TRAIN))
    order = np.random.default_rng(seed).permutation(len(labels))
    turn = np.zeros(len(labels), np.int64)  # how many of its label come before a drawing
    for label in np.unique(labels):
        mine = order[labels[order] == label]
        turn[mine] = np.arange(len(mine))
    return order[np.argsort(turn[order], kind="stable")][:drawings]


def preview(data: FitData, side: int, chosen: NDArray[np.int64], views: int, seed: int) -> Tensor:
    """Drawings at these positions of the training part -> (drawings, 1 + views, side, side) in 0..1.

    First each drawing as it is, then as it is in the epochs 1 to `views` of a training with that seed.
    """
    items = data.part(Part.TRAIN)
    ink, rasters = InkInput(side, torch.device("cpu")), data.rasters(items[chosen])
    seen = [draws(len(items), seed, epoch)[torch.from_numpy(chosen)] for epoch in range(1, views + 1)]
    return torch.cat([ink(rasters), *(ink(rasters, drawn) for drawn in seen)], dim=1)


def sheet(pictures: Tensor) -> bytes:
    """(rows, columns, side, side) in 0..1 -> PNG, one pixel for each number."""
    rows, columns, side, _ = pictures.shape
    pitch = side + _GAP
    paper = np.full((rows * pitch + _GAP, columns * pitch + _GAP), _GROUND, np.uint8)
    ink = pictures.mul(255).round().byte().numpy()
    for row, column in np.ndindex(rows, columns):
        top, left = _GAP + row * pitch, _GAP + column * pitch
        paper[top : top + side, left : left + side] = ink[row, column]
    buffer = io.BytesIO()
    Image.fromarray(paper).save(buffer, "PNG")
    return buffer.getvalue()
