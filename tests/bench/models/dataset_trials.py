"""Which data sets are trained on, with which preset, and what is to be reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TESTED_WRITERS = (13, 14, 15)
"""Of the 15 writers of Kannada aksharas."""
VALIDATION_WRITER = 12


@dataclass(frozen=True)
class Trial:
    """One training. file: the data set to send, made in a folder from the folder of all data. target: of the accuracy
    on the test part, 0 = the best that can be had. epochs: None = the preset's. few_shot: whether the few-shot head
    is measured beside it.
    """

    name: str
    preset: str
    file: Callable[[Path, Path], Path]
    target: float
    epochs: int | None = None
    few_shot: bool = True


def _as_it_is(*parts: str) -> Callable[[Path, Path], Path]:
    return lambda data, _folder: data.joinpath(*parts)


def _kannada(data: Path, folder: Path) -> Path:
    """By writers, one of the twelve choosing the epoch; without the drawings that are probably wrong."""
    with np.load(data / "chars74k_kannada" / "chars74k_kannada_96.npz") as file:
        fine, writers = ~file["suspect"], file["writer"]
        split = np.where(np.isin(writers, TESTED_WRITERS), 2, np.where(writers == VALIDATION_WRITER, 1, 0))
        arrays = {"x": file["x"], "y": file["y"], "writer": writers, "split": split.astype(np.uint8)}
        np.savez(folder / "kannada.npz", unicode=file["unicode"], **{name: a[fine] for name, a in arrays.items()})
    return folder / "kannada.npz"


_DEVANAGARI = _as_it_is("dhcd_devanagari", "dhcd_32.npz")
_ENGLISH = _as_it_is("english_chars62", "english_chars62_64.npz")
_MNIST = _as_it_is("mnist", "mnist_28.npz")

TRIALS = (
    Trial("Devanagari, 46 characters", "cnn36", _DEVANAGARI, 0.95),
    Trial("English, 62 characters", "cnn36", _ENGLISH, 0.90, 40),
    Trial("English, 62 characters", "resnet18", _ENGLISH, 0.90, 15),
    Trial("English, 62 characters", "tiny-cnn", _ENGLISH, 0.90, 40),
    Trial("MNIST", "cnn36", _MNIST, 0.993, few_shot=False),  # its 60,000 drawings would all be taught
    Trial("Kannada, 657 aksharas", "cnn36", _kannada, 0, 40),
    Trial("Kannada, 657 aksharas", "resnet18", _kannada, 0, 12),
)
