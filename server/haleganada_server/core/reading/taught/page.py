"""A page that was taken apart: everything that reading it needs, again and again, without its document.

Reading it after a correction scores the groups anew and finds another path; nothing is drawn or embedded again. As
bytes it is a zip of arrays in numpy's format without objects, so that loading one never runs code.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .lattice import GlyphLattice

_BLOCK = 64  # rasters that are compressed together: about 50 KB
_SIDE = 128

Rasters = NDArray[np.uint8]
"""(n, 128, 128), 255 = ink on 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFrame:
    """page, width, height, turn_degrees, skew_degrees: see PageReading. to_page: six numbers a, b, c, d, e, f; the
    place x, y of the lattice is at a x + b y + c, d x + e y + f on the page.
    """

    page: int
    width: int
    height: int
    to_page: tuple[float, ...]
    turn_degrees: int | None = None
    skew_degrees: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GroupRasters:
    """The ink rasters of a lattice's groups, as the embedder takes them, compressed. count: how many there are."""

    blocks: tuple[bytes, ...]
    count: int

    @classmethod
    def compress(cls, rasters: Sequence[NDArray[np.uint8]]) -> GroupRasters:
        """rasters: (128, 128) each."""
        starts = range(0, len(rasters), _BLOCK)
        blocks = tuple(zlib.compress(np.stack(rasters[start : start + _BLOCK]).tobytes(), 1) for start in starts)
        return cls(blocks, len(rasters))

    def enumerate_blocks(self) -> Iterator[Rasters]:
        """Yield all rasters, in order, a block at a time. Raises ValueError if they are damaged."""
        for number in range(len(self.blocks)):
            yield self._decompress(number)

    def __getitem__(self, group: int) -> NDArray[np.uint8]:
        """Return the raster of a group, (128, 128)."""
        return np.asarray(self._decompress(group // _BLOCK)[group % _BLOCK])

    def _decompress(self, number: int) -> Rasters:
        count = min(_BLOCK, self.count - number * _BLOCK)
        engine = zlib.decompressobj()
        data = engine.decompress(self.blocks[number], count * _SIDE * _SIDE)
        return np.frombuffer(data, np.uint8).reshape(count, _SIDE, _SIDE)


@dataclass(frozen=True, slots=True, eq=False)
class TaughtPage:
    """embeddings: (groups, d) float32 by the network whose hash is embedder_hash; (0, 0) and "" until then."""

    frame: PageFrame
    lattice: GlyphLattice
    rasters: GroupRasters
    embeddings: NDArray[np.float32]
    embedder_hash: str = ""

    @classmethod
    def without_embeddings(cls, frame: PageFrame, lattice: GlyphLattice, rasters: GroupRasters) -> TaughtPage:
        return cls(frame, lattice, rasters, np.zeros((0, 0), np.float32))

    def to_bytes(self) -> bytes:
        """Return all of it, for a file or for another process."""
        names = [field.name for field in fields(GlyphLattice) if field.name != "letter"]
        facts = {"frame": asdict(self.frame), "letter": self.lattice.letter, "embedder_hash": self.embedder_hash}
        buffer = io.BytesIO()
        np.savez(
            buffer,
            allow_pickle=False,
            facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
            rasters=np.frombuffer(b"".join(self.rasters.blocks), np.uint8),
            raster_ends=np.cumsum([len(block) for block in self.rasters.blocks], dtype=np.int64),
            embeddings=self.embeddings,
            **{name: getattr(self.lattice, name) for name in names},
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> TaughtPage:
        """Return what to_bytes was called on. Raises ValueError, KeyError, TypeError or zipfile.BadZipFile for what it
        did not write.
        """
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            names = [field.name for field in fields(GlyphLattice) if field.name != "letter"]
            lattice = GlyphLattice(letter=float(facts["letter"]), **{name: arrays[name] for name in names})
            packed, ends = arrays["rasters"].tobytes(), arrays["raster_ends"].tolist()
            blocks = tuple(packed[start:end] for start, end in pairwise([0, *ends]))
            frame = PageFrame(**{**facts["frame"], "to_page": tuple(facts["frame"]["to_page"])})
            rasters = GroupRasters(blocks, len(lattice.groups))
            return cls(frame, lattice, rasters, arrays["embeddings"], str(facts["embedder_hash"]))
