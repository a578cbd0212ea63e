"""Compares the rows of a workspace's file with their checksums, and its tables with each other."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from haleganada_server.core.sample_log.rows import ChangeKind, LogState

from .checks import CHECKED_EVENT, CHECKED_FACTS, UNREADABLE, RowChecks
from .history import History
from .replay import Replay

_KINDS = {kind.value for kind in ChangeKind}
_NAMED = 5
_PAGE = 128
"""Rows that are checked at once: few enough for a processor's cache; with a thousand, half of the gain is lost."""
_Row = tuple[Any, ...]
_KIND = CHECKED_EVENT.split(", ").index("kind")
_SAMPLE_COLUMNS = f"{CHECKED_FACTS}, embedder_hash, embedding".split(", ")
_EMBEDDED = slice(len(_SAMPLE_COLUMNS) - 2, len(_SAMPLE_COLUMNS))
_SAMPLE_ID, _FORGOTTEN, _LABEL = map(_SAMPLE_COLUMNS.index, ("sample_id", "forgotten", "label"))


class InspectedSamples(NamedTuple):
    """Columns of samples whose facts are as they were written. The hash is "" if the embedding is damaged."""

    sample_ids: Sequence[int]
    labels: Sequence[str]
    forgotten: Sequence[int]
    embedder_hashes: Sequence[str]
    embeddings: Sequence[bytes]


@dataclass(slots=True)
class Findings:
    """What is wrong with a file's rows. events: revisions of events that are not as they were written, or before which
    others are missing. samples: ids of samples that are not as they were written, or not as the events say. embeddings:
    ids of samples that can be embedded again. others: sentences. class_ids, links, revision, live_samples: the
    state besides, see LogState.
    """

    events: list[int] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    embeddings: list[int] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    class_ids: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    revision: int = 0
    live_samples: int = 0

    def describe(self) -> list[str]:
        """Return what is lost; nothing if only embeddings are damaged, which are computed again."""
        return [
            *_name_all("the change of revision", "changes, of revisions", self.events),
            *_name_all("sample", "samples:", self.samples),
            *(f"{text} missing" for text in _name_all("sample", "samples:", self.missing)),
            *self.others,
        ]

    def to_state(self) -> LogState:
        """Return the state besides the samples, if nothing is lost."""
        return LogState(self.revision, self.live_samples, self.class_ids, self.links)


class RowCursor(Protocol):
    """The rows of a query, read as they are needed."""

    def fetchmany(self, size: int, /) -> list[Any]:
        """Return the next rows, at most `size`; none after the last one."""


class RowSource(Protocol):
    """The rows of one log at one revision. columns: those to read."""

    def read_events(self, columns: str) -> RowCursor:
        """Return the events, oldest first."""

    def read_samples(self, columns: str) -> RowCursor:
        """Return the samples by their ids."""

    def read_links(self) -> list[tuple[str, str]]:
        """Return form and canonical label of each link, in the order in which they were made."""


class SqliteRows:
    """RowSource: the rows of a workspace's file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def read_events(self, columns: str) -> RowCursor:
        return self._connection.execute(f"SELECT {columns} FROM events ORDER BY revision")

    def read_samples(self, columns: str) -> RowCursor:
        return self._connection.execute(f"SELECT {columns} FROM samples ORDER BY sample_id")

    def read_links(self) -> list[tuple[str, str]]:
        return self._connection.execute("SELECT form, canonical FROM links ORDER BY position").fetchall()


def inspect_rows(
    source: RowSource, checks: RowChecks, visit: Callable[[InspectedSamples], None] | None = None
) -> Findings:
    """Check all rows, except the drawings of samples, which are checked when they are used. visit: gets the samples as
    they are read, page by page, in the order of their ids, so that opening a log reads them once; those whose facts are
    damaged are left out.

    A page of rows is checked at once, column by column, which is quicker; only a page in which something is wrong is
    looked at row by row, to find out what.
    """
    findings = Findings()
    history = _inspect_events(source, checks, findings)
    findings.class_ids, replay = history.class_ids, history.replay
    findings.revision, findings.links = history.revision, dict(source.read_links())
    findings.live_samples = len(replay.labels) - len(replay.forgotten)
    _inspect_samples(source, checks, replay, findings, visit)
    if not findings.events and list(findings.links.items()) != list(replay.links.items()):
        findings.others.append("the links between labels are not those that were made")
    return findings


def inspect_glyphs(connection: sqlite3.Connection, checks: RowChecks) -> Iterator[int]:
    """Yield the ids of the samples whose drawings are not as they were written."""
    query = "SELECT sample_id, glyph_kind, glyph, glyph_check FROM samples ORDER BY sample_id"
    for sample_id, kind, glyph, expected in connection.execute(query):
        try:
            sound = checks.glyph_check(sample_id, kind, glyph) == expected
        except UNREADABLE:
            sound = False
        if not sound:
            yield sample_id


def _inspect_events(source: RowSource, checks: RowChecks, findings: Findings) -> History:
    """Check the chain of events and which of them are undone; return what follows from them."""
    history, before = History(), checks.start
    cursor = source.read_events(f"{CHECKED_EVENT}, undone_by, digest")
    while page := cursor.fetchmany(_PAGE):
        *columns, undone_by, stored = zip(*page, strict=True)
        if not _are_sound_events(columns, stored, before, checks):
            findings.events += _find_damaged_events(page, before, checks)
        before = _to_digest(stored[-1])
        history.take(columns, undone_by)
    if not findings.events:
        findings.events += history.find_wrong_marks()
    return history


def _are_sound_events(
    columns: Sequence[Sequence[Any]], stored: Sequence[bytes], before: bytes, checks: RowChecks
) -> bool:
    """Return whether all events of a page are as they were written; True is certain. before: the digest before it."""
    try:
        digests = checks.event_digests((before, *stored[:-1]), columns)
        return digests == list(stored) and _KINDS.issuperset(columns[_KIND])
    except UNREADABLE:
        return False


def _find_damaged_events(page: Sequence[_Row], before: bytes, checks: RowChecks) -> Iterator[int]:
    """Yield the revisions of the events that are not as they were written. before: the digest before the page."""
    for *row, _undone_by, stored in page:
        try:
            sound = checks.event_digest(before, row) == stored and row[_KIND] in _KINDS
        except UNREADABLE:
            sound = False
        if not sound:
            yield row[0]
        before = _to_digest(stored)  # so that the next one is judged by itself


def _to_digest(stored: Any) -> bytes:
    return stored if isinstance(stored, bytes) else b""


def _inspect_samples(
    source: RowSource,
    checks: RowChecks,
    replay: Replay,
    findings: Findings,
    visit: Callable[[InspectedSamples], None] | None,
) -> None:
    cursor = source.read_samples(f"{CHECKED_FACTS}, embedder_hash, embedding, facts_check, embedding_check")
    seen: set[int] = set()
    while page := cursor.fetchmany(_PAGE):
        columns = list(zip(*page, strict=True))
        seen.update(columns[_SAMPLE_ID])
        if findings.events or not _are_sound_samples(columns, checks, replay):
            columns = list(zip(*_find_sound_samples(page, checks, replay, findings), strict=True))
        if visit is not None and columns:
            visit(InspectedSamples(columns[_SAMPLE_ID], columns[_LABEL], columns[_FORGOTTEN], *columns[_EMBEDDED]))
    if not findings.events:
        findings.missing += sorted(replay.labels.keys() - seen)


def _are_sound_samples(columns: Sequence[Sequence[Any]], checks: RowChecks, replay: Replay) -> bool:
    """Return whether all samples of a page are as they were written, and as the events say; True is certain."""
    *facts, hashes, embeddings, facts_checks, embedding_checks = columns
    sample_ids, forgotten, labels = facts[_SAMPLE_ID], facts[_FORGOTTEN], facts[_LABEL]
    try:
        return (
            checks.facts_checks(facts) == list(facts_checks)
            and checks.embedding_checks(sample_ids, hashes, embeddings) == list(embedding_checks)
            and tuple(map(replay.labels.get, sample_ids)) == labels
            and tuple(map(replay.forgotten.__contains__, sample_ids)) == forgotten
        )
    except UNREADABLE:
        return False


def _find_sound_samples(page: Sequence[_Row], checks: RowChecks, replay: Replay, findings: Findings) -> Iterator[_Row]:
    """Yield the samples whose facts are sound; note what is wrong with the others, and with embeddings."""
    compare = not findings.events  # with damaged events, the samples are the better witnesses
    for *facts, embedder_hash, embedding, expected_facts, expected_embedding in page:
        sample_id, forgotten, label = facts[_SAMPLE_ID], facts[_FORGOTTEN], facts[_LABEL]
        try:
            sound = checks.facts_check(facts) == expected_facts
            if checks.embedding_check(sample_id, embedder_hash, embedding) != expected_embedding:
                findings.embeddings.append(sample_id)
                embedder_hash = ""
        except UNREADABLE:
            sound = False
        if sound and compare:
            sound = replay.labels.get(sample_id) == label and (sample_id in replay.forgotten) == forgotten
        if sound:
            yield (*facts, embedder_hash, embedding)
        else:
            findings.samples.append(sample_id)


def _name_all(one: str, several: str, numbers: Sequence[int]) -> list[str]:
    if not numbers:
        return []
    named = ", ".join(map(str, numbers[:_NAMED])) + (", …" if len(numbers) > _NAMED else "")
    return [f"{one} {named}" if len(numbers) == 1 else f"{len(numbers)} {several} {named}"]
