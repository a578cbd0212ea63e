"""Choose the drawings that ship with the starter model, for replay in online learning.

    python -m haleganada_server.training.starter.exemplars --data FOLDER --model FOLDER

For each label, a random few of the drawings that the model was trained on, from MIT-licensed sources only. None of them
is in a test or validation set.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from haleganada_server.core.datasets.dataset import DATASET_SIDE, Part
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.models.files import read_card
from haleganada_server.training.common.taught_drawing import Raster
from haleganada_server.training.export.exemplars import MOST_EACH, write_exemplars
from haleganada_server.training.pretrain.synthesis.rasters import frame_scan
from haleganada_server.vision import dataset_raster, rasterize_gray

from .dataset import StarterItem, load_real_items

_SOURCES = ("english", "omniglot")
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def choose_shippable_exemplars(items: list[StarterItem], labels: tuple[str, ...], seed: int = 0) -> list[Raster]:
    """Return rasters (n, 64, 64) for each label, with n at most MOST_EACH."""
    shippable = list(_rasterize_shippable(items))
    held_out = {raster.tobytes() for item, raster in shippable if item.part is not Part.TRAIN}
    rng = np.random.default_rng(seed)
    exemplars = []
    for label in labels:
        own = [raster for item, raster in shippable if item.label == label and raster.tobytes() not in held_out]
        chosen = np.sort(rng.permutation(len(own))[:MOST_EACH])
        exemplars.append(np.array([own[i] for i in chosen], np.uint8).reshape(-1, DATASET_SIDE, DATASET_SIDE))
    return exemplars


def _rasterize_shippable(items: list[StarterItem]) -> Iterator[tuple[StarterItem, Raster]]:
    """Yield the items whose license permits shipping, with the raster that the data set stores for each."""
    for item in items:
        if item.source in _SOURCES:
            try:
                yield item, dataset_raster(rasterize_gray(frame_scan(item.ink)))
            except InvalidInput:
                continue  # the data set rejected it, too


@click.command()
@click.option("--data", type=_FOLDER, envvar="HALEGANADA_DATA", required=True, help="As for starter-data.")
@click.option("--model", type=_FOLDER, required=True, help="Folder of the starter model.")
def main(data: Path, model: Path) -> None:
    """Choose the starter model's exemplars and write them into its folder."""
    card = read_card(model)
    exemplars = choose_shippable_exemplars(load_real_items(data), card.labels)
    write_exemplars(model, card, exemplars)
    click.echo(f"wrote {sum(len(own) for own in exemplars)} drawings of {len(exemplars)} labels")


if __name__ == "__main__":
    main()
