"""Drawings of a data set as a network receives them in training, pixel by pixel, enlarged for people."""

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

MIN_SIDE = 96  # px of a view on the sheet: each of its own pixels becomes a square
GAP = 6  # px between two views
MARGIN = 120  # px to the left of the views, for their labels
_BACKGROUND = 80  # gray between the views, whose ink is white on black
_TEXT = (255, 255, 255)


def choose_drawings(data: TrainingData, drawings: int, seed: int) -> NDArray[np.int64]:
    """Return random positions in the training part, at most `drawings`, with as many labels as possible."""
    labels = data.targets(data.part(Part.TRAIN))
    order = np.random.default_rng(seed).permutation(len(labels))
    rank = np.zeros(len(labels), np.int64)  # how many drawings of the same label come before
    for label in np.unique(labels):
        own = order[labels[order] == label]
        rank[own] = np.arange(len(own))
    return order[np.argsort(rank[order], kind="stable")][:drawings]


def render_views(data: TrainingData, side: int, chosen: NDArray[np.int64], views: int, seed: int) -> Tensor:
    """Return drawings at these positions of the training part as (drawings, 1 + views, side, side) in 0..1.

    First comes each drawing as it is, then as it is augmented in the epochs 1 to `views` of a training with that seed.
    """
    items = data.part(Part.TRAIN)
    ink, rasters = InkInput(side, torch.device("cpu")), data.rasters(items[chosen])
    seen = [draw_random_numbers(len(items), seed, epoch)[torch.from_numpy(chosen)] for epoch in range(1, views + 1)]
    return torch.cat([ink(rasters), *(ink(rasters, drawn) for drawn in seen)], dim=1)


def draw_sheet(views: Tensor, labels: Sequence[str]) -> bytes:
    """Draw (rows, columns, side, side) in 0..1 as a PNG, without blending pixels, with the label beside each row."""
    rows, columns, side, _ = views.shape
    scale = -(-MIN_SIDE // side)
    pitch = side * scale + GAP
    ink = views.mul(255).round().byte().numpy().repeat(scale, axis=2).repeat(scale, axis=3)
    paper = Image.new("RGB", (MARGIN + columns * pitch + GAP, rows * pitch + GAP), (_BACKGROUND,) * 3)
    for row, column in np.ndindex(rows, columns):
        paper.paste(Image.fromarray(ink[row, column]), (MARGIN + GAP + column * pitch, GAP + row * pitch))
    lettering, pen = Lettering.for_labels(labels), ImageDraw.Draw(paper)
    for row, label in enumerate(labels):
        lettering.draw(pen, (MARGIN - GAP, (row + 0.5) * pitch + GAP / 2), label, 36, _TEXT, "rm", MARGIN - 3 * GAP)
    buffer = io.BytesIO()
    paper.convert("L").save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
