"""Data sets to train on, with presets and target accuracies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TESTED_WRITERS = (13, 14, 15)
"""Test writers among the 15 writers of Kannada aksharas."""
VALIDATION_WRITER = 12


@dataclass(frozen=True)
class Trial:
    """One training run.

    file: returns the data set to upload, given the folder of all data and a folder to write to. target: accuracy on
    the test part to reach, 0 for none. epochs: None for the preset's. few_shot: whether to measure the few-shot head.
    """

    name: str
    preset: str
    file: Callable[[Path, Path], Path]
    target: float
    epochs: int | None = None
    few_shot: bool = True


def _use_file(*parts: str) -> Callable[[Path, Path], Path]:
    return lambda data, _folder: data.joinpath(*parts)


def _make_kannada(data: Path, folder: Path) -> Path:
    """Split Kannada aksharas by writers, without drawings that are probably wrong."""
    with np.load(data / "chars74k_kannada" / "chars74k_kannada_96.npz") as file:
        valid, writers = ~file["suspect"], file["writer"]
        split = np.where(np.isin(writers, TESTED_WRITERS), 2, np.where(writers == VALIDATION_WRITER, 1, 0))
        arrays = {"x": file["x"], "y": file["y"], "writer": writers, "split": split.astype(np.uint8)}
        np.savez(folder / "kannada.npz", unicode=file["unicode"], **{name: a[valid] for name, a in arrays.items()})
    return folder / "kannada.npz"


_DEVANAGARI = _use_file("dhcd_devanagari", "dhcd_32.npz")
_ENGLISH = _use_file("english_chars62", "english_chars62_64.npz")
_MNIST = _use_file("mnist", "mnist_28.npz")

TRIALS = (
    Trial("Devanagari, 46 characters", "cnn36", _DEVANAGARI, 0.95),
    Trial("English, 62 characters", "cnn36", _ENGLISH, 0.90, 40),
    Trial("English, 62 characters", "resnet18", _ENGLISH, 0.90, 15),
    Trial("English, 62 characters", "tiny-cnn", _ENGLISH, 0.90, 40),
    Trial("MNIST", "cnn36", _MNIST, 0.993, few_shot=False),  # few-shot would need all 60,000 drawings taught
    Trial("Kannada, 657 aksharas", "cnn36", _make_kannada, 0, 40),
    Trial("Kannada, 657 aksharas", "resnet18", _make_kannada, 0, 12),
)
