"""The starter data set: the 36 digits and small letters of English, from openly licensed sources, as one .npz file.

- handwritten English letters and digits, MIT: neighbors in their numbering may be by the same writer, so whole blocks
  are held out
- the Latin alphabet of Omniglot (Lake, Salakhutdinov and Tenenbaum 2015), MIT: whole writers are held out
- MNIST's digits (LeCun, Cortes and Burges), CC BY-SA 3.0: its own test images are held out; capped, so that digits are
  no more frequent than letters
- handwriting fonts, if a folder is given: for training only

Held-out drawings are originals. Each label has equally many training drawings: those of the sources, then fonts, then
random variations of both in turn (synthesis.rasters.warp).
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

from .fonts import find_open_fonts, render_labels

LABELS = tuple("0123456789abcdefghijklmnopqrstuvwxyz")
TRAIN_EACH = 480
_BLOCK = 9  # consecutive English drawings that stay in one part
_ENGLISH_PARTS = (Part.TRAIN,) * 6 + (Part.VALIDATION, Part.TEST, Part.TEST)  # of blocks 0, 1, ...
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


def build_starter_items(data: Path, fonts: Path | None, each: int = TRAIN_EACH, seed: int = 0) -> list[StarterItem]:
    """Return the whole data set, label by label. The same folders and seed give the same drawings.

    data: folder with english_chars62/, omniglot/ and mnist/. each: training drawings of every label, at least 300.
    Raises OSError if a source is missing.
    """
    real = load_real_items(data)
    rendered = list(_render_fonts(fonts)) if fonts else []
    rng = np.random.default_rng(seed)
    items: list[StarterItem] = []
    for label in LABELS:
        own = [item for item in real if item.label == label]
        items += own
        trained, own_fonts = [i for i in own if i.part is Part.TRAIN], [i for i in rendered if i.label == label]
        items += _fill_up(trained, own_fonts, each - len(trained), rng)
    return items


def load_real_items(data: Path) -> list[StarterItem]:
    """Return all drawings by people, source by source. Raises OSError if a source is missing."""
    return [*_load_english(data), *_load_omniglot(data), *_load_mnist(data)]


def write_starter(items: list[StarterItem], path: Path) -> None:
    """Write an .npz that the server imports: x (n, 64, 64), y, names, split; and source, for people."""
    ids = {label: i for i, label in enumerate(LABELS)}
    np.savez_compressed(
        path,
        x=np.stack([frame_scan(item.ink) for item in items]),
        y=np.array([ids[item.label] for item in items], np.uint8),
        names=np.array(LABELS),
        split=np.array([item.part for item in items], np.uint8),
        source=np.array([item.source for item in items]),
    )


@click.command("starter-data")
@click.option(
    "--data", type=_FOLDER, envvar="HALEGANADA_DATA", required=True,
    help="Folder with english_chars62/, omniglot/ and mnist/.",
)  # fmt: skip
@click.option(
    "--fonts", type=_FOLDER, help="Folder with @fontsource packages of handwriting fonts, as npm installs them."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .npz file to write.")
@click.option(
    "--each", type=click.IntRange(300), default=TRAIN_EACH, show_default=True, help="Training drawings of each label."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
def starter_data(data: Path, fonts: Path | None, out: Path, each: int, seed: int) -> None:
    """Build the starter data set, digits and small letters, as one file for `haleganada datasets add`."""
    try:
        items = build_starter_items(data, fonts, each, seed)
    except OSError as error:
        raise click.ClickException(
            f"{error.filename}: {error.strerror}; --data must be the folder with the sources"
        ) from error
    write_starter(items, out)
    counts = Counter(f"{item.part.name.lower()} {item.source}" for item in items)
    click.echo(f"wrote {out}: {len(items):,} drawings; " + ", ".join(f"{n:,} {source}" for source, n in counts.items()))


def _load_english(data: Path) -> Iterator[StarterItem]:
    path = data / "english_chars62" / "english_chars62_64.npz"
    with np.load(path) as file:
        drawings, labels, numbers, names = file["x"], file["y"], file["index"], file["classes"]
    for drawing, label, number in zip(drawings, labels, numbers, strict=True):
        if (text := str(names[label])) in LABELS:
            block = min(int(number) // _BLOCK, len(_ENGLISH_PARTS) - 1)
            yield StarterItem(text, _ENGLISH_PARTS[block], "english", drawing)


def _load_omniglot(data: Path) -> Iterator[StarterItem]:
    for label, writers in zip(LABELS[10:], load_omniglot(data)["Latin"], strict=True):
        for part, drawing in zip(_WRITER_PARTS, writers, strict=True):
            yield StarterItem(label, part, "omniglot", drawing)


def _load_mnist(data: Path) -> Iterator[StarterItem]:
    """Yield the first drawings of each digit; validation drawings follow those for training."""
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


def _render_fonts(folder: Path) -> Iterator[StarterItem]:
    for path in find_open_fonts(folder):
        for label, drawing in render_labels(Path(path), LABELS).items():
            yield StarterItem(label, Part.TRAIN, "fonts", drawing)


def _fill_up(
    real: list[StarterItem], rendered: list[StarterItem], count: int, rng: np.random.Generator
) -> Iterator[StarterItem]:
    """Yield `count` more training drawings: fonts as they are, then variations of drawings and fonts in turn."""
    yield from rendered[:count]
    pools = [pool for pool in (real, rendered) if pool]
    for turn in range(count - len(rendered)):
        pool = pools[turn % len(pools)]
        item = pool[(turn // len(pools)) % len(pool)]
        yield StarterItem(item.label, Part.TRAIN, f"{item.source}, varied", warp(frame_scan(item.ink), rng, np.eye(2)))


if __name__ == "__main__":
    starter_data()
