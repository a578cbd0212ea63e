"""The drawings that the starter model keeps: python -m haleganada_server.training.starter.memory --data FOLDER --model
FOLDER

Some of each label that it was trained with, chosen by chance, MIT-licensed ones only. None of them is a drawing that it
is measured on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from haleganada_server.core.datasets.dataset import DATASET_SIDE, Part
from haleganada_server.core.errors import InvalidInput
from haleganada_server.training.common.taught_drawing import Raster
from haleganada_server.training.export.model_files import read_card
from haleganada_server.training.export.model_memory import MOST_EACH, write_memory
from haleganada_server.training.pretrain.synthesis.rasters import fit
from haleganada_server.vision import dataset_raster, normalize_gray

from .dataset import StarterItem, real_items

_SOURCES = ("english", "omniglot")
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def memory_of(items: list[StarterItem], labels: tuple[str, ...], seed: int = 0) -> list[Raster]:
    """For each label (n, 64, 64), n at most MOST_EACH."""
    drawn = list(_drawn(items))
    held_out = {raster.tobytes() for item, raster in drawn if item.part is not Part.TRAIN}
    rng = np.random.default_rng(seed)
    memory = []
    for label in labels:
        own = [raster for item, raster in drawn if item.label == label and raster.tobytes() not in held_out]
        chosen = np.sort(rng.permutation(len(own))[:MOST_EACH])
        memory.append(np.array([own[i] for i in chosen], np.uint8).reshape(-1, DATASET_SIDE, DATASET_SIDE))
    return memory


def _drawn(items: list[StarterItem]) -> Iterator[tuple[StarterItem, Raster]]:
    """Those that may be shipped, as the data set stored them."""
    for item in items:
        if item.source in _SOURCES:
            try:
                yield item, dataset_raster(normalize_gray(fit(item.ink)))
            except InvalidInput:
                continue  # the data set refused it, too


@click.command()
@click.option("--data", type=_FOLDER, envvar="HALEGANADA_DATA", required=True, help="As for starter-data.")
@click.option("--model", type=_FOLDER, required=True, help="The folder of the starter model.")
def main(data: Path, model: Path) -> None:
    """Choose the drawings and write them."""
    card = read_card(model)
    memory = memory_of(real_items(data), card.labels)
    write_memory(model, card, memory)
    click.echo(f"wrote {sum(len(own) for own in memory)} drawings of {len(memory)} labels")


if __name__ == "__main__":
    main()
