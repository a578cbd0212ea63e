"""Features of drawings in a file: computed when a drawing is first learned, loaded in every step afterwards.

There are two files: rows of float16, and the SHA-256 of each row's raster. A row counts once its hash is there, so a
killed process leaves at most one row that is written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
from torch import Tensor

from haleganada_server.training.common.taught_drawing import Raster

from .networks import OnlineNetwork, hash_tensors

_HASH_BYTES = 32


class FeatureCache:
    """Rows of one network's features. A context manager, for one thread and one process at a time.

    The files are named by what the features depend on, so that another backbone finds none of them.
    """

    def __init__(self, folder: Path, network: OnlineNetwork) -> None:
        """Raises OSError if the files cannot be opened."""
        self._network = network
        self._row_bytes = 2 * int(np.prod(network.feature_shape))
        frozen = hash_tensors(network.frozen_state())[:16]
        name = f"features-{'x'.join(map(str, network.feature_shape))}-{frozen}"
        self._rows = (folder / f"{name}.f16").open("a+b")
        self._hashes = (folder / f"{name}.sha256").open("a+b")
        self._index = self._load_index()

    def __enter__(self) -> FeatureCache:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._rows.close()
        self._hashes.close()

    def find_or_compute(self, raster: Raster) -> int:
        """Return the row of a (64, 64) drawing, computed if it is missing. Raises OSError, as when the disk is full."""
        digest = hashlib.sha256(raster.tobytes()).digest()
        if digest not in self._index:
            row = len(self._index)
            features = self._network.compute_features(raster).reshape(self._network.feature_shape)  # or raise
            self._truncate(row)  # removes what a failed attempt may have left
            self._rows.write(features.numpy().tobytes())
            self._rows.flush()
            self._hashes.write(digest)
            self._hashes.flush()
            self._index[digest] = row
        return self._index[digest]

    def load(self, rows: Sequence[int]) -> Tensor:
        """Return the features in these rows, (n, *feature_shape) float32."""
        out = np.empty((len(rows), self._row_bytes // 2), np.float16)
        for target, row in zip(out, rows, strict=True):
            self._rows.seek(row * self._row_bytes)
            target[:] = np.frombuffer(self._rows.read(self._row_bytes), np.float16)
        return torch.from_numpy(out).float().reshape(len(rows), *self._network.feature_shape)

    def _load_index(self) -> dict[bytes, int]:
        self._hashes.seek(0)
        hashes = self._hashes.read()
        count = min(len(hashes) // _HASH_BYTES, self._rows.seek(0, 2) // self._row_bytes)
        self._truncate(count)
        return {hashes[_HASH_BYTES * i : _HASH_BYTES * (i + 1)]: i for i in range(count)}

    def _truncate(self, count: int) -> None:
        self._rows.truncate(count * self._row_bytes)
        self._hashes.truncate(count * _HASH_BYTES)
