"""What encoding drawings needs from other rooms: a rasterizer, an embedder, perhaps workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import HaleganadaError

from .types import Glyph

Raster = NDArray[np.uint8]  # (128, 128), 255 = ink on 0


Vectors = NDArray[np.float32]  # (n, d)


class InkReader(Protocol):
    """Turns drawings into ink rasters, and rasters into what is stored and shown."""

    def normalize(self, glyph: Glyph) -> Raster:
        """The ink raster of a drawing. Raises InvalidInput."""

    def encode(self, raster: Raster) -> bytes:
        """A raster as PNG, for storing."""

    def decode(self, png: bytes) -> Raster:
        """The inverse of encode."""

    def picture(self, raster: Raster) -> bytes:
        """A raster as PNG for people: black ink on a transparent ground."""


class Embedder(Protocol):
    """A network that turns ink rasters into vectors. Safe to call from several threads at once."""

    @property
    def hash(self) -> str:
        """SHA-256 of the weights, hexadecimal."""

    @property
    def device(self) -> str:
        """For people, for example “cpu (onnxruntime)”."""

    def embed(self, rasters: NDArray[np.uint8]) -> Vectors:
        """(n, 128, 128) uint8 rasters -> (n, d) float32 vectors."""


class Seen(NamedTuple):
    """What a network and people need of a drawing. embedding: (d,) float32."""

    embedding: NDArray[np.float32]
    raster: Raster


class PieceReader(Protocol):
    """Reads a few drawings together. Safe to call from several threads at once."""

    def see(self, glyphs: Sequence[Glyph]) -> list[Seen | HaleganadaError] | None:
        """Each drawing, or why it cannot be read; None: nobody is there or free to read them, so read them yourself."""
