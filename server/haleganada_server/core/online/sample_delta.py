"""The live samples of a log, told to a learner's process as differences to what it was told before."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from haleganada_server.core.errors import DataLoss
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import LiveSample, SampleRow

from .ports import ToDatasetRaster

_PIECE = 64  # samples, 256 KB
_log = logging.getLogger(__name__)

Message = tuple[dict[str, Any], bytes]


@dataclass(frozen=True, slots=True, eq=False)
class News:
    """What brings a process to a revision of a log: the first `kept` samples that it has stay, there are `samples`
    then. All messages have to be sent.
    """

    revision: int
    kept: int
    samples: int
    messages: Iterator[Message]


class SampleFeed:
    """What one process was told. For one thread."""

    def __init__(self, encoder: GlyphEncoder, to_dataset: ToDatasetRaster) -> None:
        self._encoder, self._to_dataset = encoder, to_dataset
        self._log: WorkspaceLog | None = None
        self._revision = -1
        self._told: list[LiveSample] = []
        self._damaged: set[LiveSample] = set()

    def news(self, log: WorkspaceLog) -> News | None:
        """None if the process is there already. Raises as the log does, as do the messages."""
        revision, live = log.live()
        if log is self._log and revision == self._revision:
            return None
        if log is not self._log:
            self._told, self._damaged = [], set()  # the same numbers may mean other drawings
        self._log, self._revision = log, revision
        same = _common(self._told, live)
        del self._told[same:]
        return News(revision, self._sent(), len(live), self._messages(log, live[same:], revision))

    def _messages(self, log: WorkspaceLog, added: Sequence[LiveSample], revision: int) -> Iterator[Message]:
        if not added:
            yield {"keep": self._sent(), "add": []}, b""
        for start in range(0, len(added), _PIECE):
            yield self._piece(log, added[start : start + _PIECE])
        yield {"aim": revision}, b""

    def _piece(self, log: WorkspaceLog, samples: Sequence[LiveSample]) -> Message:
        keep = self._sent()
        drawn = {row.sample_id: self._raster(row) for row in log.samples_of([sample.sample_id for sample in samples])}
        self._damaged |= {sample for sample in samples if not drawn.get(sample.sample_id)}
        self._told += samples
        sent = [sample for sample in samples if sample not in self._damaged]
        add = [[sample.sample_id, sample.label, sample.revision] for sample in sent]
        return {"keep": keep, "add": add}, b"".join(drawn[sample.sample_id] for sample in sent)

    def _sent(self) -> int:
        """How many samples the process has; a damaged drawing cannot be learned."""
        return (
            len(self._told) - sum(sample in self._damaged for sample in self._told)
            if self._damaged
            else len(self._told)
        )

    def _raster(self, row: SampleRow) -> bytes:
        try:
            return self._to_dataset(self._encoder.load_raster(row.glyph_kind, row.glyph)).tobytes()
        except DataLoss:
            _log.error("the drawing of sample %d cannot be read, so it is not learned online", row.sample_id)
            return b""


def _common(one: Sequence[LiveSample], other: Sequence[LiveSample]) -> int:
    """How many both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
