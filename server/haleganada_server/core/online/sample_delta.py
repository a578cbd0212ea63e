"""The live samples of a log, sent to a learner's process as differences from what it has received before."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haleganada_server.core.errors import DataLoss
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import LiveSample, SampleRow

from .child_client import Message
from .ports import ToDatasetRaster

_CHUNK = 64  # samples, 256 KB
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class SampleDelta:
    """What brings a process up to a revision of a log: it keeps its first `kept` samples and has `samples` afterwards.
    All messages have to be sent.
    """

    revision: int
    kept: int
    samples: int
    messages: Iterator[Message]


class DeltaFeed:
    """Tracks what one process has received. For one thread."""

    def __init__(self, encoder: GlyphEncoder, to_dataset: ToDatasetRaster) -> None:
        self._encoder, self._to_dataset = encoder, to_dataset
        self._log: WorkspaceLog | None = None
        self._revision = -1
        self._received: list[LiveSample] = []
        self._damaged: set[LiveSample] = set()

    def next_delta(self, log: WorkspaceLog) -> SampleDelta | None:
        """Return the difference; None if the process is up to date. Raises as the log does; so do the messages."""
        revision, live = log.live_samples()
        if log is self._log and revision == self._revision:
            return None
        if log is not self._log:
            self._received, self._damaged = [], set()  # the same ids may mean other drawings
        self._log, self._revision = log, revision
        common = _common_prefix(self._received, live)
        del self._received[common:]
        messages = self._messages(log, live[common:], revision)
        return SampleDelta(revision, self._count_received(), len(live), messages)

    def _messages(self, log: WorkspaceLog, added: Sequence[LiveSample], revision: int) -> Iterator[Message]:
        if not added:
            yield {"keep": self._count_received(), "add": []}, b""
        for start in range(0, len(added), _CHUNK):
            yield self._add_message(log, added[start : start + _CHUNK])
        yield {"target": revision}, b""

    def _add_message(self, log: WorkspaceLog, samples: Sequence[LiveSample]) -> Message:
        keep = self._count_received()
        rasters = {
            row.sample_id: self._raster(row) for row in log.samples_by_id([sample.sample_id for sample in samples])
        }
        self._damaged |= {sample for sample in samples if not rasters.get(sample.sample_id)}
        self._received += samples
        intact = [sample for sample in samples if sample not in self._damaged]
        add = [[sample.sample_id, sample.label, sample.revision] for sample in intact]
        return {"keep": keep, "add": add}, b"".join(rasters[sample.sample_id] for sample in intact)

    def _count_received(self) -> int:
        """Count the samples that the process has; damaged drawings were not sent."""
        if not self._damaged:
            return len(self._received)
        return sum(sample not in self._damaged for sample in self._received)

    def _raster(self, row: SampleRow) -> bytes:
        try:
            return self._to_dataset(self._encoder.load_raster(row.glyph_kind, row.glyph)).tobytes()
        except DataLoss:
            _log.error("the drawing of sample %d is damaged, so it is not learned online", row.sample_id)
            return b""


def _common_prefix(one: Sequence[LiveSample], other: Sequence[LiveSample]) -> int:
    """Return how many samples both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
