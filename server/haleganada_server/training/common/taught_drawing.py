"""A workspace's live samples as what is to be learned, and a name for what was learned from the first few of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Raster = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class TaughtDrawing:
    """A live sample. label: NFC. raster: (64, 64) uint8, 255 = ink, as data sets store it. revision: of the log,
    when it was taught.
    """

    sample_id: int
    label: str
    raster: Raster
    revision: int = 0

    def digest(self) -> bytes:
        """SHA-256 of all that can be learned from it; its numbers are not part of that."""
        label = self.label.encode()
        return hashlib.sha256(len(label).to_bytes(4, "big") + label + self.raster.tobytes()).digest()


def name_states(beginning: str, samples: Sequence[TaughtDrawing]) -> list[str]:
    """For each number of samples from 0 on, the name of the state that has learned so many of them, in that order.

    beginning: the name of the state that has learned none. Two states of one name are equal to the last bit on one
    machine, as far as torch computes the same twice.
    """
    return [beginning, *_chained(beginning, samples)]


def _chained(name: str, samples: Sequence[TaughtDrawing]) -> Iterator[str]:
    for sample in samples:
        name = hashlib.sha256(bytes.fromhex(name) + sample.digest()).hexdigest()
        yield name
