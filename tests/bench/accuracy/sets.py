"""Handwriting data sets and their splits.

The shipped weights were never trained on Kannada handwriting, MNIST or Devanagari; English letters are 2 % of training.
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
    """Drawings (n, h, w), 255 = ink on 0, with labels and writers, (n,). names: of the labels."""

    name: str
    drawings: NDArray[np.uint8]
    labels: NDArray[np.int64]
    writers: NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()

    def split(self, shots: int, seed: int) -> tuple[Rows, Rows]:
        """Return rows to teach, about `shots` of each label, and rows to test.

        If writers are known, `shots` of them teach one drawing of each label, and only others are tested.
        """
        rng = np.random.default_rng([seed, shots])
        order = rng.permutation(len(self.labels))
        if self.writers is None:
            taught = _choose_first(order, self.labels, shots)
            rest = np.setdiff1d(order, taught)
        else:
            teachers = rng.permutation(np.unique(self.writers))[:shots]
            by_teachers = order[np.isin(self.writers[order], teachers)]
            pairs = self.labels * 1000 + self.writers
            taught = _choose_first(by_teachers, pairs, 1)
            rest = order[~np.isin(self.writers[order], teachers)]
        return taught, rng.permutation(rest)[:MOST_TESTED]

    def has_writers(self, number: int) -> bool:
        """Return whether more than so many people are known to have drawn this."""
        return self.writers is not None and len(np.unique(self.writers)) > number

    def others(self, taught: Rows) -> Rows:
        """Return all rows by writers who taught nothing."""
        assert self.writers is not None
        return np.flatnonzero(~np.isin(self.writers, self.writers[taught]))


def _choose_first(order: Rows, keys: NDArray[np.int64], number: int) -> Rows:
    """Return the first `number` rows of each key, in the given order."""
    return np.concatenate([order[keys[order] == key][:number] for key in np.unique(keys[order])])


def load_kannada(data: Path) -> Handwriting:
    """Load Chars74K (de Campos 2009): 657 aksharas by 15 writers, without drawings that are probably wrong."""
    with np.load(data / "chars74k_kannada" / "chars74k_kannada_96.npz") as file:
        valid = ~file["suspect"]
        names = tuple(str(name) for name in file["unicode"])
        return _make_set("Kannada, 657 aksharas", file["x"][valid], file["y"][valid], file["writer"][valid], names)


def load_kannada_digits(data: Path) -> Handwriting:
    """Load Kannada digits from scanned forms, 40 px."""
    with np.load(data / "kannada_mnist" / "scans_40.npz") as file:
        return _make_set("Kannada digits, scans", file["x"], file["y"], file["writer"])


def load_kannada_mnist(data: Path) -> Handwriting:
    """Load the official test images, squashed horizontally to 28 px."""
    with np.load(data / "kannada_mnist" / "kannada_mnist_test10k_28.npz") as file:
        return _make_set("Kannada-MNIST, official test", *_find_images_and_labels(file))


def load_mnist(data: Path) -> Handwriting:
    with np.load(data / "mnist" / "mnist_28.npz") as file:
        return _make_set("MNIST, official test", file["x_test"], file["y_test"])


def load_english(data: Path) -> Handwriting:
    with np.load(data / "english_chars62" / "english_chars62_64.npz") as file:
        return _make_set("English, 62 characters", file["x"], file["y"])


def load_devanagari(data: Path) -> Handwriting:
    with np.load(data / "dhcd_devanagari" / "dhcd_32.npz") as file:
        return _make_set("Devanagari, 46 characters", file["x"], file["y"])


def load_kannada_letters(data: Path) -> Handwriting:
    """Load those aksharas that are one code point: the letters without signs, and digits."""
    kannada = load_kannada(data)
    return _select(kannada, "Kannada, letters", [len(name) == 1 for name in kannada.names])


def load_kannada_rows(data: Path) -> list[Handwriting]:
    """Load four alphabets of look-alikes: all aksharas of four consonants each, which differ in their signs."""
    kannada = load_kannada(data)
    consonants = np.unique([name[0] for name in kannada.names if len(name) == 2])
    rng = np.random.default_rng(0)
    return [
        _select(kannada, "Kannada, four rows of aksharas", [name[:1] in chosen for name in kannada.names])
        for chosen in (set(rng.permutation(consonants)[:4].tolist()) for _ in range(4))
    ]


def load_apl_symbols(data: Path) -> Handwriting:
    """Load APL and ASCII symbols drawn on screen by nine people, 48 px."""
    return _load_glyph_images(data / "apl_symbols_inhouse", "APL and ASCII, 165 symbols")


def load_cursive_latin(data: Path) -> Handwriting:
    """Load letters and digits cut out of cursive lines, 28 px, with bits of their neighbors."""
    return _load_glyph_images(data / "choice_cursive_latin", "Cursive Latin, 62 characters")


def _load_glyph_images(folder: Path, name: str) -> Handwriting:
    with np.load(folder / "images.npz") as file:
        writers = file["writer"]
        return _make_set(name, file["x"], file["y"], None if (writers < 0).any() else writers)


def _select(handwriting: Handwriting, name: str, chosen: list[bool]) -> Handwriting:
    """Return the drawings of the labels that are chosen."""
    rows = np.array(chosen)[handwriting.labels]
    writers = None if handwriting.writers is None else handwriting.writers[rows]
    return _make_set(name, handwriting.drawings[rows], handwriting.labels[rows], writers, handwriting.names)


def load_held_out_alphabets(data: Path) -> list[Handwriting]:
    """Load the held-out Omniglot alphabets, 20 writers each."""
    alphabets = load_omniglot(data)
    return [_from_alphabet(name, np.stack(alphabets[name])) for name in HELD_OUT_ALPHABETS]


def _from_alphabet(name: str, drawings: NDArray[np.uint8]) -> Handwriting:
    """Convert (characters, writers, h, w) to a set."""
    characters, writers = np.indices(drawings.shape[:2])
    return _make_set(name, drawings.reshape(-1, *drawings.shape[2:]), characters.ravel(), writers.ravel())


def _find_images_and_labels(file: np.lib.npyio.NpzFile) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images = next(file[key] for key in file.files if file[key].ndim == 3)
    labels = next(file[key] for key in file.files if file[key].ndim == 1)
    return images, labels


def _make_set(
    name: str,
    drawings: NDArray[np.uint8],
    labels: NDArray[np.integer],
    writers: NDArray[np.integer] | None = None,
    names: tuple[str, ...] = (),
) -> Handwriting:
    writer_ids = None if writers is None else writers.astype(np.int64)
    return Handwriting(name, drawings, labels.astype(np.int64), writer_ids, names)


SETS: tuple[tuple[Callable[[Path], Handwriting], tuple[int, ...]], ...] = (
    (load_kannada, (1, 2, 5, 10, 14)),
    (load_kannada_digits, (1, 5, 10)),
    (load_kannada_mnist, (1, 10)),
    (load_mnist, (1, 10, 100)),
    (load_english, (5, 20)),
    (load_devanagari, (5, 20)),
)
"""Each set with the numbers of taught samples a label to measure."""
