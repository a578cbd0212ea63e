"""Drawings that a trained model keeps of those that it was trained with, so that it can learn on without forgetting.

They are one gray PNG without gaps: a row of 64 x 64 px cells for each label in the card's order, white ink on black;
at the end of a row cells are blank where a label has fewer drawings than others. All together are at most about a
thousand, whose features a large network computes in minutes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.core.datasets.dataset import DATASET_SIDE, Part
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import MEMORY, damaged, require_intact
from haleganada_server.training.common.atomic_files import write_whole
from haleganada_server.training.common.taught_drawing import Raster, Taught
from haleganada_server.training.common.training_data import TrainingData

from .model_files import write_card

MOST_EACH = 8
_MOST = 1000


def chosen_drawings(data: TrainingData, seed: int) -> list[Raster]:
    """For each label some drawings of the training part, (n, 64, 64), chosen by the seed; n differs, and may be 0."""
    items = data.part(Part.TRAIN)
    targets, rng = data.targets(items), np.random.default_rng(seed)
    most = max(1, min(MOST_EACH, _MOST // len(data.labels)))
    chosen = [np.sort(rng.permutation(items[targets == label])[:most]) for label in range(len(data.labels))]
    return [data.rasters(row) for row in chosen]


def write_memory(folder: Path, card: ModelCard, drawings: Sequence[Raster]) -> ModelCard:
    """Add drawings to a model's folder: of each of its labels (n, 64, 64). The card with the file's SHA-256."""
    columns = max(len(row) for row in drawings)
    cells = np.zeros((len(drawings), columns, DATASET_SIDE, DATASET_SIDE), np.uint8)
    for row, own in zip(cells, drawings, strict=True):
        row[: len(own)] = own
    buffer = io.BytesIO()
    sheet = cells.swapaxes(1, 2).reshape(len(drawings) * DATASET_SIDE, columns * DATASET_SIDE)
    Image.fromarray(sheet).save(buffer, "PNG", optimize=True)
    write_whole(folder / MEMORY, buffer.getvalue())
    return write_card(folder, card, MEMORY)


def read_memory(folder: Path, card: ModelCard) -> tuple[Taught, ...]:
    """The drawings of a model's folder, label after label; none if it came without. Raises DataLoss if they are not
    those that its card tells of.
    """
    if MEMORY not in card.sha256:
        return ()
    require_intact(folder, card, [MEMORY])
    cells = _cells(folder / MEMORY, card)
    drawn = [(label, raster) for label, row in zip(card.labels, cells, strict=True) for raster in row if raster.any()]
    return tuple(Taught(number, label, raster) for number, (label, raster) in enumerate(drawn, 1))


def _cells(path: Path, card: ModelCard) -> NDArray[np.uint8]:
    """(labels, columns, 64, 64)."""
    with Image.open(path, formats=("PNG",)) as image:
        sheet = np.asarray(image)
    if sheet.dtype != np.uint8 or sheet.ndim != 2 or sheet.shape[0] != len(card.labels) * DATASET_SIDE:
        raise damaged(card.name, f"{MEMORY} has not a row of drawings for each label")
    rows = sheet.reshape(len(card.labels), DATASET_SIDE, -1, DATASET_SIDE)
    return np.ascontiguousarray(rows.swapaxes(1, 2))
