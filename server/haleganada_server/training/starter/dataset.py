"""The starter data set: the 36 digits and small letters of English, from openly licensed sources, as one .npz file.

- English letters and digits by hand, MIT: neighbors in their numbering may be one hand's, so whole blocks of them are
  held out
- the Latin alphabet of Omniglot (Lake, Salakhutdinov and Tenenbaum 2015), MIT: whole writers are held out
- MNIST's digits (LeCun, Cortes and Burges), CC BY-SA 3.0: its own test images are held out; capped, so that digits are
  no more than letters
- handwriting fonts, if a folder of them is given: only to train on

Held-out drawings are as they were made. To train on there are equally many of each label: what the sources have, then
fonts and the same drawings by other hands (raster_synthesis.warp) in turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.training.pretrain.synthesis.rasters import frame_scan, warp
from haleganada_server.training.pretrain.synthesis.sources import load_omniglot

from .fonts import open_fonts, written_in

LABELS = tuple("0123456789abcdefghijklmnopqrstuvwxyz")
TRAIN_EACH = 480
_BLOCK = 9  # neighboring English drawings that are in one part
_ENGLISH_PARTS = (Part.TRAIN,) * 6 + (Part.VALIDATION, Part.TEST, Part.TEST)  # of block 0, 1, ...
_WRITER_PARTS = (Part.TRAIN,) * 14 + (Part.VALIDATION,) * 2 + (Part.TEST,) * 4  # of Omniglot's 20 writers
_MNIST_EACH = {Part.TRAIN: 240, Part.VALIDATION: 6, Part.TEST: 12}

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
Scan = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class StarterItem:
    """One drawing. ink: 255 = ink on 0, any size. source: for example "omniglot"."""

    label: str
    part: Part
    source: str
    ink: Scan


def starter_items(data: Path, fonts: Path | None, each: int = TRAIN_EACH, seed: int = 0) -> list[StarterItem]:
    """The whole data set, label after label. data: a folder with english_chars62/, omniglot/ and mnist/. each:
    drawings of every label to train on, at least 300.

    The same folders and seed give the same drawings. Raises OSError if a source is missing.
    """
    real = real_items(data)
    written = list(_fonts(fonts)) if fonts else []
    rng = np.random.default_rng(seed)
    items: list[StarterItem] = []
    for label in LABELS:
        own = [item for item in real if item.label == label]
        items += own
        trained, fonts_of = [i for i in own if i.part is Part.TRAIN], [i for i in written if i.label == label]
        items += _more(trained, fonts_of, each - len(trained), rng)
    return items


def real_items(data: Path) -> list[StarterItem]:
    """All drawings by people, source after source. Raises OSError if one is missing."""
    return [*_english(data), *_omniglot(data), *_mnist(data)]


def write_starter(items: list[StarterItem], path: Path) -> None:
    """As an .npz that DatasetService reads: x (n, 64, 64), y, names, split; and source, for people."""
    place = {label: i for i, label in enumerate(LABELS)}
    np.savez_compressed(
        path,
        x=np.stack([frame_scan(item.ink) for item in items]),
        y=np.array([place[item.label] for item in items], np.uint8),
        names=np.array(LABELS),
        split=np.array([item.part for item in items], np.uint8),
        source=np.array([item.source for item in items]),
    )


@click.command("starter-data")
@click.option(
    "--data", type=_FOLDER, envvar="HALEGANADA_DATA", required=True,
    help="Folder with english_chars62/, omniglot/ and mnist/.",
)  # fmt: skip
@click.option("--fonts", type=_FOLDER, help="Folder with npm's @fontsource packages of handwriting fonts.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .npz to write.")
@click.option(
    "--each", type=click.IntRange(300), default=TRAIN_EACH, show_default=True, help="Of a label, to train on."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def starter_data(data: Path, fonts: Path | None, out: Path, each: int, seed: int) -> None:
    """Gather the starter data set, digits and small letters, into one file for `haleganada datasets add`."""
    try:
        items = starter_items(data, fonts, each, seed)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}; give the folder of the sources") from error
    write_starter(items, out)
    counts = Counter(f"{item.part.name.lower()} {item.source}" for item in items)
    click.echo(f"wrote {out}: {len(items):,} drawings; " + ", ".join(f"{n:,} {what}" for what, n in counts.items()))


def _english(data: Path) -> Iterator[StarterItem]:
    path = data / "english_chars62" / "english_chars62_64.npz"
    with np.load(path) as file:
        drawings, labels, numbers, names = file["x"], file["y"], file["index"], file["classes"]
    for drawing, label, number in zip(drawings, labels, numbers, strict=True):
        if (text := str(names[label])) in LABELS:
            block = min(int(number) // _BLOCK, len(_ENGLISH_PARTS) - 1)
            yield StarterItem(text, _ENGLISH_PARTS[block], "english", drawing)


def _omniglot(data: Path) -> Iterator[StarterItem]:
    for label, writers in zip(LABELS[10:], load_omniglot(data)["Latin"], strict=True):
        for part, drawing in zip(_WRITER_PARTS, writers, strict=True):
            yield StarterItem(label, part, "omniglot", drawing)


def _mnist(data: Path) -> Iterator[StarterItem]:
    """The first of each digit; what validates comes behind what trains."""
    with np.load(data / "mnist" / "mnist_28.npz") as file:
        train, train_labels, test, test_labels = (file[n] for n in ("x_train", "y_train", "x_test", "y_test"))
    trained = _MNIST_EACH[Part.TRAIN]
    for digit, label in enumerate(LABELS[:10]):
        rows = np.flatnonzero(train_labels == digit)
        chosen = {
            Part.TRAIN: train[rows[:trained]],
            Part.VALIDATION: train[rows[trained : trained + _MNIST_EACH[Part.VALIDATION]]],
            Part.TEST: test[np.flatnonzero(test_labels == digit)[: _MNIST_EACH[Part.TEST]]],
        }
        for part, drawings in chosen.items():
            yield from (StarterItem(label, part, "mnist", drawing) for drawing in drawings)


def _fonts(folder: Path) -> Iterator[StarterItem]:
    for path in open_fonts(folder):
        for label, drawing in written_in(Path(path), LABELS).items():
            yield StarterItem(label, Part.TRAIN, "fonts", drawing)


def _more(
    real: list[StarterItem], written: list[StarterItem], count: int, rng: np.random.Generator
) -> Iterator[StarterItem]:
    """`count` drawings more to train on: fonts as they are, then real drawings and fonts by other hands, in turn."""
    yield from written[:count]
    pools = [pool for pool in (real, written) if pool]
    for turn in range(count - len(written)):
        pool = pools[turn % len(pools)]
        item = pool[(turn // len(pools)) % len(pool)]
        yield StarterItem(item.label, Part.TRAIN, f"{item.source}, varied", warp(frame_scan(item.ink), rng, np.eye(2)))


if __name__ == "__main__":
    starter_data()
