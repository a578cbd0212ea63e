"""What encoding drawings needs from other packages: a rasterizer and an embedder."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.cancellation import NEVER, Cancellation

from .types import Glyph

LARGE_PICTURE = 2**20
"""Pixels above which a picture is large: it is decoded alone, because that takes megabytes and up to a second."""

DRAWING_VERSION = 1
"""Of the way from a drawing to the network's input. Raise it when a change gives other embeddings: those on disk are
then made again instead of being compared with new ones. A test compares some drawings' embeddings with those before.
"""

Raster = NDArray[np.uint8]  # (128, 128), 255 = ink on 0
Vectors = NDArray[np.float32]  # (n, d)


class Rasterizer(Protocol):
    """Converts drawings to ink rasters, and rasters to and from PNG. Safe from any thread."""

    def count_pixels(self, glyph: Glyph) -> int:
        """Return how many pixels rasterize has to decode; 0 for strokes, and for what it refuses at once."""

    def rasterize(self, glyph: Glyph, cancellation: Cancellation = NEVER) -> Raster:
        """Return the ink raster of a drawing. Large pictures wait for each other. Raises InvalidInput; Cancelled or
        DeadlineExceeded if the caller gives up meanwhile.
        """

    def to_png(self, raster: Raster) -> bytes:
        """Encode a raster as PNG, for the log."""

    def from_png(self, png: bytes) -> Raster:
        """Decode what to_png wrote. Raises DataLoss for anything else."""

    def to_picture(self, raster: Raster) -> bytes:
        """Encode a raster as PNG for people: black ink on a transparent background."""


class Embedder(Protocol):
    """A network that turns ink rasters into embeddings. Safe from any thread."""

    @property
    def hash(self) -> str:
        """The name of the embedding space, 64 hexadecimal digits: of weights, graph and DRAWING_VERSION."""

    @property
    def device(self) -> str:
        """A description for people, for example “cpu (onnxruntime)”."""

    def embed(self, rasters: NDArray[np.uint8]) -> Vectors:
        """(n, 128, 128) uint8 rasters -> (n, d) float32 embeddings."""


class DeviceState(NamedTuple):
    """How the device of an embedder is. memory_bytes, memory_limit_bytes: of a GPU, what the embedder uses and may use;
    None without one. note: why a GPU of this machine embeds nothing, or not all, and what to do; "" = all is well.
    """

    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    note: str = ""


class EncodedGlyph(NamedTuple):
    """A drawing's embedding, (d,) float32, and its ink raster."""

    embedding: NDArray[np.float32]
    raster: Raster
