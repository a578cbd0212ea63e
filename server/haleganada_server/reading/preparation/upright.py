"""Which way up text is: a small network looks at letters, and the page goes by what most of them say.

A letter alone may be upright both ways (o, s, x) or be another one (n and u), but hundreds of them, each with what is
around it, leave no doubt. The network sees each patch both ways up, and what counts is the difference of its answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from safetensors.numpy import load_file

from .ink import Gray, find_ink, find_parts

Patches = NDArray[np.float32]
"""(n, 24, 24), 0 = ground, 1 = ink."""

PATCH = 24  # px
_AROUND = 3.0
"""Side of a patch, in heights of the usual letter."""
_PATCHES, _MORE_PATCHES = 150, 600
_DOUBTFUL = 0.8
"""Mean log odds up to which more patches are looked at."""
_MIN_PATCHES = 20
_MOST = 4.0
"""What one patch can say at most, in log odds."""
_WEIGHTS = Path(__file__).with_name("upright.safetensors")
_STRIDE = 2


def measure_uprightness(gray: Gray) -> float | None:
    """Return the mean log odds that the text of a page, level and dark on light, is the right way up; negative if it is
    upside down; None if there is too little of it.
    """
    odds = _ask_network(gray, _PATCHES)
    if odds is not None and abs(odds) < _DOUBTFUL:
        odds = _ask_network(gray, _MORE_PATCHES)
    return odds


def _ask_network(gray: Gray, most: int) -> float | None:
    patches = cut_patches(gray, most, np.random.default_rng(0))
    if len(patches) < _MIN_PATCHES:
        return None
    odds = _run_network(patches) - _run_network(patches[:, ::-1, ::-1])
    return float(np.clip(odds, -_MOST, _MOST).mean())


def cut_patches(gray: Gray, most: int, dice: np.random.Generator) -> Patches:
    """Cut out letters, or parts of words, with what is around them."""
    patches = [_cut(gray, *place) for place in _choose_places(gray, most, dice)]
    return np.stack(patches) if patches else np.zeros((0, PATCH, PATCH), np.float32)


def _choose_places(gray: Gray, most: int, dice: np.random.Generator) -> Iterator[tuple[float, float, float]]:
    """Yield center and side, in px, of parts of the ink that are about as high as most ink is."""
    parts = find_parts(find_ink(gray))
    usual = parts.find_letter_height()
    if usual is None:
        return
    stats = parts.stats[(parts.heights > 0.5 * usual) & (parts.heights < 2.5 * usual)]
    for part in dice.permutation(len(stats))[:most]:
        left, top, width, height = stats[part, :4]
        margin = min(width, height) / 2
        x = left + dice.uniform(margin, width - margin + 1e-6)
        yield x, top + height * dice.uniform(0.4, 0.6), _AROUND * usual


def _cut(gray: Gray, x: float, y: float, side: float) -> NDArray[np.float32]:
    """(PATCH, PATCH); what is outside of the page is ground."""
    half = side / 2
    left, top, right, bottom = round(x - half), round(y - half), round(x + half), round(y + half)
    part = gray[max(0, top) : bottom, max(0, left) : right]
    ground = int(part.max())
    over = (max(0, -top), max(0, bottom - gray.shape[0]), max(0, -left), max(0, right - gray.shape[1]))
    if any(over):
        part = np.asarray(cv2.copyMakeBorder(part, *over, cv2.BORDER_CONSTANT, value=ground), np.uint8)
    patch = cv2.resize(part, (PATCH, PATCH), interpolation=cv2.INTER_AREA).astype(np.float32)
    return (ground - patch) / max(float(ground - patch.min()), 1.0)


def _run_network(patches: Patches) -> NDArray[np.float32]:
    """(n,) log odds."""
    weights = _load_weights()
    x = patches[:, :, :, None]
    for layer in ("first", "second", "third"):
        x = np.maximum(_convolve(x, weights[f"{layer}.weight"], weights[f"{layer}.bias"]), 0)
    return x.reshape(len(x), -1) @ weights["last.weight"] + weights["last.bias"]


def _convolve(x: NDArray[np.float32], weight: NDArray[np.float32], bias: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, h, w, c) -> (n, h / 2, w / 2, d). weight: (side * side * c, d)."""
    side = round((len(weight) / x.shape[3]) ** 0.5)
    edge = side // 2
    padded = np.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    windows = sliding_window_view(padded, (side, side), axis=(1, 2))[
        :, ::_STRIDE, ::_STRIDE
    ]  # (n, h, w, c, side, side)
    columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, len(weight))
    return (columns @ weight + bias).reshape(*windows.shape[:3], -1)


@cache
def _load_weights() -> dict[str, NDArray[np.float32]]:
    return {name: values.astype(np.float32) for name, values in load_file(_WEIGHTS).items()}
