"""Handwriting to measure with: who drew what, and who teaches whom. No shipped weights were trained on Kannada
handwriting, MNIST or Devanagari; English letters are 2 % of the training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_ALPHABETS, load_omniglot
from numpy.typing import NDArray

MOST_TESTED = 3000  # drawings in one split

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Handwriting:
    """Drawings (n, h, w) with 255 = ink on 0, labels and writers (n,); names: of the labels."""

    name: str
    drawings: NDArray[np.uint8]
    labels: NDArray[np.int64]
    writers: NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()

    def split(self, shots: int, seed: int) -> tuple[Rows, Rows]:
        """Rows to teach, about `shots` of each label, and rows to test.

        Where writers are known, that many of them teach one drawing of each label and only others are tested.
        """
        rng = np.random.default_rng([seed, shots])
        order = rng.permutation(len(self.labels))
        if self.writers is None:
            taught = _first_of_each(order, self.labels, shots)
            rest = np.setdiff1d(order, taught)
        else:
            teachers = rng.permutation(np.unique(self.writers))[:shots]
            by_teachers = order[np.isin(self.writers[order], teachers)]
            pairs = self.labels * 1000 + self.writers
            taught = _first_of_each(by_teachers, pairs, 1)
            rest = order[~np.isin(self.writers[order], teachers)]
        return taught, rng.permutation(rest)[:MOST_TESTED]

    def others(self, taught: Rows) -> Rows:
        """All rows by writers who taught nothing."""
        assert self.writers is not None
        return np.flatnonzero(~np.isin(self.writers, self.writers[taught]))


def _first_of_each(order: Rows, keys: NDArray[np.int64], number: int) -> Rows:
    """The first `number` rows of each key, in that order."""
    return np.concatenate([order[keys[order] == key][:number] for key in np.unique(keys[order])])


def kannada(data: Path) -> Handwriting:
    """Chars74K (de Campos 2009): 657 aksharas by 15 writers, without the drawings that are probably wrong."""
    with np.load(data / "chars74k_kannada" / "chars74k_kannada_96.npz") as file:
        fine = ~file["suspect"]
        names = tuple(str(name) for name in file["unicode"])
        return _set("Kannada, 657 aksharas", file["x"][fine], file["y"][fine], file["writer"][fine], names)


def kannada_digits(data: Path) -> Handwriting:
    """Scanned forms, 40 px."""
    with np.load(data / "kannada_mnist" / "scans_40.npz") as file:
        return _set("Kannada digits, scans", file["x"], file["y"], file["writer"])


def kannada_mnist(data: Path) -> Handwriting:
    """The official test images: squashed sideways to 28 px."""
    with np.load(data / "kannada_mnist" / "kannada_mnist_test10k_28.npz") as file:
        return _set("Kannada-MNIST, official test", *_pictures_and_labels(file))


def mnist(data: Path) -> Handwriting:
    with np.load(data / "mnist" / "mnist_28.npz") as file:
        return _set("MNIST, official test", file["x_test"], file["y_test"])


def english(data: Path) -> Handwriting:
    with np.load(data / "english_chars62" / "english_chars62_64.npz") as file:
        return _set("English, 62 characters", file["x"], file["y"])


def devanagari(data: Path) -> Handwriting:
    with np.load(data / "dhcd_devanagari" / "dhcd_32.npz") as file:
        return _set("Devanagari, 46 characters", file["x"], file["y"])


def held_out_alphabets(data: Path) -> list[Handwriting]:
    """Omniglot's alphabets that were kept out of training, 20 writers each."""
    alphabets = load_omniglot(data)
    return [_alphabet(name, np.stack(alphabets[name])) for name in HELD_OUT_ALPHABETS]


def _alphabet(name: str, drawings: NDArray[np.uint8]) -> Handwriting:
    """From (characters, writers, h, w)."""
    characters, writers = np.indices(drawings.shape[:2])
    return _set(name, drawings.reshape(-1, *drawings.shape[2:]), characters.ravel(), writers.ravel())


def _pictures_and_labels(file: np.lib.npyio.NpzFile) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    pictures = next(file[key] for key in file.files if file[key].ndim == 3)
    labels = next(file[key] for key in file.files if file[key].ndim == 1)
    return pictures, labels


def _set(
    name: str,
    drawings: NDArray[np.uint8],
    labels: NDArray[np.integer],
    writers: NDArray[np.integer] | None = None,
    names: tuple[str, ...] = (),
) -> Handwriting:
    whole = None if writers is None else writers.astype(np.int64)
    return Handwriting(name, drawings, labels.astype(np.int64), whole, names)


SETS: tuple[tuple[Callable[[Path], Handwriting], tuple[int, ...]], ...] = (
    (kannada, (1, 2, 5, 10, 14)),
    (kannada_digits, (1, 5, 10)),
    (kannada_mnist, (1, 10)),
    (mnist, (1, 10, 100)),
    (english, (5, 20)),
    (devanagari, (5, 20)),
)
"""Each set and the numbers of taught samples that it is measured with."""
