"""A page that was taken apart: everything that reading it needs, again and again, without its document.

Reading it after a correction scores the groups anew and finds another path; nothing is drawn or embedded again. As
bytes it is a zip of arrays in numpy's format without objects, so that loading one never runs code.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.fewshot.projection import Projection
from haleganada_server.core.reading.page import Point

from .ink import PageInkMap
from .lattice import GlyphLattice

_BLOCK = 64  # rasters that are compressed together: about 50 KB
RASTER_SIDE = 128

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

    def to_lattice(self, line: tuple[Point, Point]) -> tuple[Point, Point]:
        """Return where two places on the page are in the lattice."""
        a, b, c, d, e, f = self.to_page
        inverse = np.linalg.inv(np.array([[a, b], [d, e]]))
        start, end = ((float(x), float(y)) for x, y in (np.array(line) - (c, f)) @ inverse.T)
        return start, end


@dataclass(frozen=True, slots=True, eq=False)
class GroupRasters:
    """The ink rasters of a lattice's groups by their ids, as the embedder takes them, compressed. count: how many there
    are.
    """

    blocks: tuple[bytes, ...]
    count: int

    @classmethod
    def compress(cls, rasters: Iterable[NDArray[np.uint8]]) -> GroupRasters:
        """rasters: (128, 128) each. No more than a block of them is held at once."""
        rest, blocks, count = iter(rasters), list[bytes](), 0
        while block := list(islice(rest, _BLOCK)):
            blocks.append(zlib.compress(np.stack(block).tobytes(), 1))
            count += len(block)
        return cls(tuple(blocks), count)

    def append(self, rasters: Sequence[NDArray[np.uint8]]) -> GroupRasters:
        """Return these and more of them. Raises ValueError if they are damaged."""
        full = self.count // _BLOCK
        rest = [*self._decompress(full)] if self.count % _BLOCK else []
        more = GroupRasters.compress([*rest, *rasters])
        return GroupRasters((*self.blocks[:full], *more.blocks), self.count + len(rasters))

    def enumerate_blocks(self) -> Iterator[Rasters]:
        """Yield all rasters, in order, a block at a time. Raises ValueError if they are damaged."""
        for number in range(len(self.blocks)):
            yield self._decompress(number)

    def __getitem__(self, group_id: int) -> NDArray[np.uint8]:
        """Return the raster of a group, (128, 128)."""
        return np.asarray(self._decompress(group_id // _BLOCK)[group_id % _BLOCK])

    def _decompress(self, number: int) -> Rasters:
        count = min(_BLOCK, self.count - number * _BLOCK)
        engine = zlib.decompressobj()
        data = engine.decompress(self.blocks[number], count * RASTER_SIDE * RASTER_SIDE)
        return np.frombuffer(data, np.uint8).reshape(count, RASTER_SIDE, RASTER_SIDE)


@dataclass(slots=True, eq=False)
class _Lazy:
    """vectors: computed on first use, with the projection that they were computed by."""

    vectors: tuple[Projection, NDArray[np.float64]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TaughtPage:
    """rasters: of each group by its id. ink: what further groups are drawn from. embeddings: (groups, d) float32 by the
    network whose hash is embedder_hash, NaN for groups that wait for theirs; (0, 0) and "" until then.
    """

    frame: PageFrame
    lattice: GlyphLattice
    rasters: GroupRasters
    ink: PageInkMap
    embeddings: NDArray[np.float32]
    embedder_hash: str = ""
    _lazy: _Lazy = field(default_factory=_Lazy, repr=False)

    @classmethod
    def without_embeddings(
        cls, frame: PageFrame, lattice: GlyphLattice, rasters: GroupRasters, ink: PageInkMap
    ) -> TaughtPage:
        return cls(frame, lattice, rasters, ink, np.zeros((0, 0), np.float32))

    def embed(self, embed: Callable[[Rasters], NDArray[np.float32]], embedder_hash: str) -> TaughtPage:
        """Return the page with embeddings of all groups by one network. Those that it has already are kept. embed: of
        (n, 128, 128) rasters, n >= 1.
        """
        if not len(self.lattice.groups):
            return self
        if embedder_hash != self.embedder_hash or not len(self.embeddings):
            made = np.concatenate([embed(block) for block in self.rasters.enumerate_blocks()])
            return replace(self, embeddings=made[self.lattice.group_ids], embedder_hash=embedder_hash).forget_vectors()
        missing = np.flatnonzero(np.isnan(self.embeddings).any(axis=1))
        if not len(missing):
            return self
        embeddings = self.embeddings.copy()
        embeddings[missing] = embed(np.stack([self.rasters[one] for one in self.lattice.group_ids[missing].tolist()]))
        return replace(self, embeddings=embeddings).forget_vectors()

    def forget_vectors(self) -> TaughtPage:
        """Return the page, whose lattice or embeddings have changed, so that vectors are computed again."""
        return replace(self, _lazy=_Lazy())

    def project(self, projection: Projection) -> NDArray[np.float64]:
        """Return the vectors of all groups, (groups, k), in the head's coordinates; they are computed once."""
        kept = self._lazy.vectors
        if kept is None or kept[0] is not projection:
            kept = self._lazy.vectors = projection, projection.project(self.embeddings)
        return kept[1]

    @property
    def nbytes(self) -> int:
        """About how many bytes of memory it takes."""
        arrays = (getattr(self.lattice, field.name) for field in fields(GlyphLattice) if field.name != "letter")
        packed = sum(map(len, (*self.rasters.blocks, *self.ink.packed)))
        return packed + 2 * self.embeddings.nbytes + sum(int(array.nbytes) for array in arrays)  # 2: with the vectors

    def to_bytes(self) -> bytes:
        """Return all of it, for a file or for another process."""
        names = [field.name for field in fields(GlyphLattice) if field.name != "letter"]
        facts = {"frame": asdict(self.frame), "letter": self.lattice.letter, "embedder_hash": self.embedder_hash}
        buffer = io.BytesIO()
        np.savez(
            buffer,
            allow_pickle=False,
            facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
            **_pack("raster", self.rasters.blocks),
            raster_count=np.array(self.rasters.count),
            **_pack("ink", self.ink.packed),
            ink_headers=self.ink.headers,
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
            lattice = GlyphLattice(
                letter=float(facts["letter"]), **{name: arrays[name] for name in names if name in arrays}
            )
            frame = PageFrame(**{**facts["frame"], "to_page": tuple(facts["frame"]["to_page"])})
            rasters = GroupRasters(_unpack("raster", arrays), int(arrays["raster_count"]))
            ink = PageInkMap(arrays["ink_headers"], _unpack("ink", arrays))
            return cls(frame, lattice, rasters, ink, arrays["embeddings"], str(facts["embedder_hash"]))


def _pack(name: str, blocks: Sequence[bytes]) -> dict[str, NDArray[np.generic]]:
    return {
        f"{name}_data": np.frombuffer(b"".join(blocks), np.uint8),
        f"{name}_ends": np.cumsum([len(block) for block in blocks], dtype=np.int64),
    }


def _unpack(name: str, arrays: Mapping[str, NDArray[np.generic]]) -> tuple[bytes, ...]:
    data, ends = arrays[f"{name}_data"].tobytes(), arrays[f"{name}_ends"].tolist()
    return tuple(data[start:end] for start, end in pairwise([0, *ends]))
