"""Drawings of a data set as a network receives them in training, pixel by pixel, large enough to look at."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.training.common.augment import draw_random_numbers
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.lettering import Lettering
from haleganada_server.training.common.training_data import TrainingData

LEAST_SIDE = 96
"""Pixels of a picture on the sheet, at least: each of its own becomes a square of as many."""
GAP = 6
"""Pixels between two pictures."""
MARGIN = 120
"""Pixels left of the pictures, for their labels."""
_GROUND = 80
"""Gray of the sheet between the pictures, whose ink is white on black."""
_TEXT = (255, 255, 255)


def chosen_drawings(data: TrainingData, drawings: int, seed: int) -> NDArray[np.int64]:
    """Positions in the training part, at most `drawings`, by chance; as many labels among them as there can be."""
    labels = data.targets(data.part(Part.TRAIN))
    order = np.random.default_rng(seed).permutation(len(labels))
    turn = np.zeros(len(labels), np.int64)  # how many of its label come before a drawing
    for label in np.unique(labels):
        mine = order[labels[order] == label]
        turn[mine] = np.arange(len(mine))
    return order[np.argsort(turn[order], kind="stable")][:drawings]


def preview(data: TrainingData, side: int, chosen: NDArray[np.int64], views: int, seed: int) -> Tensor:
    """Drawings at these positions of the training part -> (drawings, 1 + views, side, side) in 0..1.

    First each drawing as it is, then as it is in the epochs 1 to `views` of a training with that seed.
    """
    items = data.part(Part.TRAIN)
    ink, rasters = InkInput(side, torch.device("cpu")), data.rasters(items[chosen])
    seen = [draw_random_numbers(len(items), seed, epoch)[torch.from_numpy(chosen)] for epoch in range(1, views + 1)]
    return torch.cat([ink(rasters), *(ink(rasters, drawn) for drawn in seen)], dim=1)


def sheet(pictures: Tensor, labels: Sequence[str]) -> bytes:
    """(rows, columns, side, side) in 0..1 -> PNG with the label of each row beside it, no pixel mixed with another."""
    rows, columns, side, _ = pictures.shape
    scale = -(-LEAST_SIDE // side)
    pitch = side * scale + GAP
    ink = pictures.mul(255).round().byte().numpy().repeat(scale, axis=2).repeat(scale, axis=3)
    paper = Image.new("RGB", (MARGIN + columns * pitch + GAP, rows * pitch + GAP), (_GROUND,) * 3)
    for row, column in np.ndindex(rows, columns):
        paper.paste(Image.fromarray(ink[row, column]), (MARGIN + GAP + column * pitch, GAP + row * pitch))
    lettering, pen = Lettering.for_labels(labels), ImageDraw.Draw(paper)
    for row, label in enumerate(labels):
        lettering.draw(pen, (MARGIN - GAP, (row + 0.5) * pitch + GAP / 2), label, 36, _TEXT, "rm", MARGIN - 3 * GAP)
    buffer = io.BytesIO()
    paper.convert("L").save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
