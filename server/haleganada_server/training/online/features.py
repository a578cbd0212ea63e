"""Features of drawings, kept in a file: computed when a drawing is first learned, read in every step afterwards.

Two files: rows of float16, and the SHA-256 of each row's raster. A row counts once its hash is there, so a killed
process leaves at most a row that is written again.
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

from .networks import Learnable, tensors_sha256

_HASH = 32  # bytes


class FeatureFile:
    """Rows of one network's features. For one thread and one process at a time; a context manager.

    The files are named by what features depend on, so that another backbone finds none of them.
    """

    def __init__(self, folder: Path, learnable: Learnable) -> None:
        """Raises OSError if the files cannot be opened."""
        self._learnable = learnable
        self._row_bytes = 2 * int(np.prod(learnable.shape))
        frozen = tensors_sha256(learnable.frozen())[:16]
        name = f"features-{'x'.join(map(str, learnable.shape))}-{frozen}"
        self._rows = (folder / f"{name}.f16").open("a+b")
        self._hashes = (folder / f"{name}.sha256").open("a+b")
        self._index = self._whole_rows()

    def __enter__(self) -> FeatureFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """No row can be read afterwards."""
        self._rows.close()
        self._hashes.close()

    def row(self, raster: Raster) -> int:
        """The number of the row of a (64, 64) drawing, computed if it is not there. Raises OSError, as when the disk
        is full.
        """
        digest = hashlib.sha256(raster.tobytes()).digest()
        if digest not in self._index:
            row = len(self._index)
            features = self._learnable.features(raster).reshape(self._learnable.shape)  # no other size will do
            self._cut(row)  # of what a failed attempt may have left
            self._rows.write(features.numpy().tobytes())
            self._rows.flush()
            self._hashes.write(digest)
            self._hashes.flush()
            self._index[digest] = row
        return self._index[digest]

    def read(self, rows: Sequence[int]) -> Tensor:
        """(n, *shape) float32."""
        out = np.empty((len(rows), self._row_bytes // 2), np.float16)
        for place, row in zip(out, rows, strict=True):
            self._rows.seek(row * self._row_bytes)
            place[:] = np.frombuffer(self._rows.read(self._row_bytes), np.float16)
        return torch.from_numpy(out).float().reshape(len(rows), *self._learnable.shape)

    def _whole_rows(self) -> dict[bytes, int]:
        self._hashes.seek(0)
        hashes = self._hashes.read()
        count = min(len(hashes) // _HASH, self._rows.seek(0, 2) // self._row_bytes)
        self._cut(count)
        return {hashes[_HASH * i : _HASH * (i + 1)]: i for i in range(count)}

    def _cut(self, count: int) -> None:
        self._rows.truncate(count * self._row_bytes)
        self._hashes.truncate(count * _HASH)
