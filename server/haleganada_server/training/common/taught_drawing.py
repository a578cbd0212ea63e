"""A workspace's live samples as training data for online learning, and names for the states that learn them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Raster = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class TaughtDrawing:
    """A live sample. label: NFC. raster: (64, 64) uint8, 255 = ink, as data sets store it. revision: of the log at
    which it was taught.
    """

    sample_id: int
    label: str
    raster: Raster
    revision: int = 0

    def digest(self) -> bytes:
        """Return the SHA-256 of label and raster, which are all that can be learned from it."""
        label = self.label.encode()
        return hashlib.sha256(len(label).to_bytes(4, "big") + label + self.raster.tobytes()).digest()


def name_states(beginning: str, samples: Sequence[TaughtDrawing]) -> list[str]:
    """Return the names of the states that have learned the first 0, 1, 2, ... samples, in that order.

    beginning: the name of the state that has learned none. On one machine two states with the same name are equal to
    the last bit, as far as torch is deterministic.
    """
    names = [beginning]
    for sample in samples:
        names.append(hashlib.sha256(bytes.fromhex(names[-1]) + sample.digest()).hexdigest())
    return names
