"""Exemplars: training drawings that ship with a model, so that online learning can replay them and forgets less.

They are one gray PNG: a row of 64 x 64 px cells for each label in the card's order, white ink on black. Labels with
fewer drawings than others have blank cells at the end of their row. A model has at most about a thousand exemplars;
even a large network computes their features within minutes.
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
from haleganada_server.core.models.files import EXEMPLARS, damaged_model, require_intact
from haleganada_server.training.common.atomic_files import write_atomically
from haleganada_server.training.common.taught_drawing import Raster, TaughtDrawing
from haleganada_server.training.common.training_data import TrainingData

from .model_files import write_card

MOST_EACH = 8
"""Exemplars of one label, at most."""
_MOST = 1000


def choose_exemplars(data: TrainingData, seed: int) -> list[Raster]:
    """Return random drawings of the training part for each label, (n, 64, 64); n varies and may be 0."""
    items = data.part(Part.TRAIN)
    targets, rng = data.targets(items), np.random.default_rng(seed)
    most = max(1, min(MOST_EACH, _MOST // len(data.labels)))
    chosen = [np.sort(rng.permutation(items[targets == label])[:most]) for label in range(len(data.labels))]
    return [data.rasters(row) for row in chosen]


def write_exemplars(folder: Path, card: ModelCard, drawings: Sequence[Raster]) -> ModelCard:
    """Add exemplars to a model's folder, (n, 64, 64) for each of its labels.

    Returns the card with the file's SHA-256.
    """
    columns = max(len(row) for row in drawings)
    cells = np.zeros((len(drawings), columns, DATASET_SIDE, DATASET_SIDE), np.uint8)
    for row, own in zip(cells, drawings, strict=True):
        row[: len(own)] = own
    buffer = io.BytesIO()
    sheet = cells.swapaxes(1, 2).reshape(len(drawings) * DATASET_SIDE, columns * DATASET_SIDE)
    Image.fromarray(sheet).save(buffer, "PNG", optimize=True)
    write_atomically(folder / EXEMPLARS, buffer.getvalue())
    return write_card(folder, card, EXEMPLARS)


def read_exemplars(folder: Path, card: ModelCard) -> tuple[TaughtDrawing, ...]:
    """Return the exemplars in a model's folder, label by label; empty if the model has none.

    Raises DataLoss if the file does not match the card.
    """
    if EXEMPLARS not in card.sha256:
        return ()
    require_intact(folder, card, [EXEMPLARS])
    cells = _read_cells(folder / EXEMPLARS, card)
    drawn = [(label, raster) for label, row in zip(card.labels, cells, strict=True) for raster in row if raster.any()]
    return tuple(TaughtDrawing(number, label, raster) for number, (label, raster) in enumerate(drawn, 1))


def _read_cells(path: Path, card: ModelCard) -> NDArray[np.uint8]:
    """Return (labels, columns, 64, 64)."""
    with Image.open(path, formats=("PNG",)) as image:
        sheet = np.asarray(image)
    if sheet.dtype != np.uint8 or sheet.ndim != 2 or sheet.shape[0] != len(card.labels) * DATASET_SIDE:
        raise damaged_model(card.name, f"{EXEMPLARS} does not have a row of drawings for each label")
    rows = sheet.reshape(len(card.labels), DATASET_SIDE, -1, DATASET_SIDE)
    return np.ascontiguousarray(rows.swapaxes(1, 2))
