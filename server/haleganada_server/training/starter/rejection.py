"""Let the starter model say “unknown”, and export it again; its weights stay.

    python -m haleganada_server.training.starter.rejection --data FOLDER --model FOLDER

A training does the same with its own drawings; here they are the real ones of the starter's data set, which tell best
how far people's drawings lie from each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.models.files import EXEMPLARS, WEIGHTS
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.taught_drawing import Raster
from haleganada_server.training.export.model_files import read_model
from haleganada_server.training.export.onnx_model import export_model
from haleganada_server.training.export.rejection import Measured, fit_rejection
from haleganada_server.training.presets import measure_features
from haleganada_server.training.pretrain.synthesis.rasters import frame_scan
from haleganada_server.vision import dataset_raster, rasterize_gray

from .dataset import StarterItem, load_real_items

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def rasterize_items(items: Sequence[StarterItem]) -> tuple[Raster, list[str]]:
    """Return the rasters (n, 64, 64) that the data set stores, and their labels."""
    rasters, labels = [], []
    for item in items:
        try:
            rasters.append(dataset_raster(rasterize_gray(frame_scan(item.ink))))
        except InvalidInput:
            continue  # the data set rejected it, too
        labels.append(item.label)
    return np.stack(rasters), labels


@click.command()
@click.option("--data", type=_FOLDER, envvar="HALEGANADA_DATA", required=True, help="As for starter-data.")
@click.option("--model", type=_FOLDER, required=True, help="Folder of the starter model.")
def main(data: Path, model: Path) -> None:
    """Fit what the starter model rejects, and export the model with it."""
    network, card = read_model(model)
    to_ink = InkInput(card.preprocessing.side, torch.device("cpu"))
    items, found = load_real_items(data), dict[Part, tuple[torch.Tensor, Measured]]()
    for part in (Part.TRAIN, Part.VALIDATION):
        rasters, labels = rasterize_items([item for item in items if item.part is part])
        with torch.no_grad():
            logits, features = measure_features(network, to_ink(rasters))
        targets = np.array([card.labels.index(label) for label in labels])
        found[part] = to_ink(rasters), Measured(logits.numpy(), features.numpy(), targets)
    rejection = fit_rejection(found[Part.TRAIN][1], found[Part.VALIDATION][1])
    ink, validation = found[Part.VALIDATION]
    kept = {name: value for name, value in card.sha256.items() if name in (WEIGHTS, EXEMPLARS)}
    sizes = {name: value for name, value in card.sizes.items() if name in kept}
    report = export_model(
        network, replace(card, sha256=kept, sizes=sizes), model, ink.numpy(), validation.targets, rejection
    )
    click.echo(f"exported: {report}")


if __name__ == "__main__":
    main()
