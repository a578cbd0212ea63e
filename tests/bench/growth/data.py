"""Data directories of any size, written through the store, which takes seconds where calls would take hours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from haleganada_server.config import SHIPPED_WEIGHTS
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.core.outcomes import ok_values
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import ChangeKind, Event, SampleRow
from haleganada_server.runtime.select import select_embedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer, network_input

from tests.bench.drawings import LABELS, strokes

HANDS = 40  # drawings of each letter that are embedded; the others are these with a little noise
_BATCH = 5000
_NOISE = 0.02  # of each number of an embedding of unit length


def write_directory(folder: Path, workspaces: dict[str, tuple[int, int]]) -> None:
    """Write a data directory. workspaces: name -> samples and labels; “default” may be one of them."""
    rasterizer = PillowRasterizer()
    with closing(DataDirectory(folder, rasterizer)) as directory:
        rows = _SampleSource(rasterizer)
        for name, (samples, labels) in workspaces.items():
            with closing(directory.create(name)) as log:
                _fill(log, rows, samples, labels)


def _fill(log: WorkspaceLog, source: _SampleSource, samples: int, labels: int) -> None:
    rows = source.make(samples, labels)
    for _ in range(0, samples, _BATCH):
        with log.transaction() as transaction:
            for row, _number in zip(rows, range(_BATCH), strict=False):
                transaction.add_sample(row)
                transaction.append(Event(ChangeKind.TEACH, row.time_us, sample_id=row.sample_id, label=row.label))


class _SampleSource:
    """Makes rows of a log from a few hundred drawings."""

    def __init__(self, rasterizer: PillowRasterizer) -> None:
        weights = load_weights(SHIPPED_WEIGHTS)
        embedder = select_embedder(weights, "cpu", lambda rasters: network_input(rasters, weights.side)).embedder
        encoder = GlyphEncoder(rasterizer, embedder)
        glyphs = [_to_glyph(label, hand) for hand in range(HANDS) for label in LABELS]
        drawings = ok_values(encoder.encode_many(glyphs))
        self._stored = [encoder.to_stored(drawing) for drawing in drawings]
        self._embeddings = [drawing.embedding for drawing in drawings]
        self._hash = embedder.hash
        self._random = np.random.default_rng(0)

    def make(self, samples: int, labels: int) -> Iterator[SampleRow]:
        """Yield the rows of a workspace, whose labels are taught in turn."""
        for number in range(samples):
            label = number % labels
            letter = label % len(LABELS)
            drawing = (number // labels % HANDS) * len(LABELS) + letter
            yield self._make_row(
                number + 1, LABELS[letter] if labels <= len(LABELS) else f"{LABELS[letter]}{label}", drawing
            )

    def _make_row(self, number: int, label: str, drawing: int) -> SampleRow:
        kind, glyph = self._stored[drawing]
        noise = self._random.normal(0, _NOISE, len(self._embeddings[drawing]))
        return SampleRow(
            sample_id=number,
            label=label,
            glyph_kind=kind,
            glyph=glyph,
            embedding=(self._embeddings[drawing] + noise).astype(np.float32),
            embedder_hash=self._hash,
            loss=0.5,
            predicted=label,
            new_label=False,
            correction=False,
            predicted_revision=0,
            time_us=1_700_000_000_000_000 + number,
            revision=number,
        )


def _to_glyph(label: str, hand: int) -> Glyph:
    ink = strokes(label, hand)
    return Glyph(
        ink=Ink(tuple(Stroke(tuple(s.x), tuple(s.y)) for s in ink.strokes), ink.width, ink.height, ink.pen_width)
    )
