"""Lists taught samples, with their drawings as pictures."""

from __future__ import annotations

from collections.abc import Sequence

from haleganada_server.core.access.identity import Caller
from haleganada_server.core.errors import DataLoss, NotFound
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import SampleRow

from .types import Sample, SamplePage


def list_samples(
    log: WorkspaceLog, knowledge: Knowledge, label: str, before: int, limit: int, encoder: GlyphEncoder | None
) -> SamplePage:
    """See Workspace.samples. encoder: draws the pictures; None = without them."""
    label = normalize_label(label) if label else ""
    rows = log.samples(label, before, limit + 1)
    authors = _find_authors(log, rows[:limit])
    page = tuple(
        Sample.from_row(
            row,
            knowledge.variants,
            _draw_or_leave_empty(row, encoder) if encoder else b"",
            authors.get(row.revision, ""),
        )
        for row in rows[:limit]
    )
    next_before = rows[limit - 1].sample_id if len(rows) > limit else 0
    total = knowledge.count_samples(label) if label else knowledge.samples_total
    return SamplePage(page, next_before, total, knowledge.revision)


def find_sample(log: WorkspaceLog, knowledge: Knowledge, sample_id: int, encoder: GlyphEncoder) -> Sample:
    """See Workspace.sample."""
    row = log.sample(sample_id)
    if row is None:
        raise NotFound("sample", str(sample_id), "it may have been forgotten; list the samples again")
    author = _find_authors(log, [row]).get(row.revision, "")
    return Sample.from_row(row, knowledge.variants, encoder.render_picture(row), author)


def _find_authors(log: WorkspaceLog, rows: Sequence[SampleRow]) -> dict[int, str]:
    """Return the name of who made each of the revisions that taught the rows."""
    clients = log.clients([row.revision for row in rows])
    return {revision: Caller.parse(client).name for revision, client in clients.items()}


def _draw_or_leave_empty(row: SampleRow, encoder: GlyphEncoder) -> bytes:
    try:
        return encoder.render_picture(row)
    except DataLoss:
        return b""
