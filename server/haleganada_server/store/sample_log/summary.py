"""The summary of a log's live samples. What counts of each sample stays in memory, 25 bytes, so that after a change the
samples are read that it touched, instead of all rows, which are long.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.sample_log.rows import Confusion, LabelSummary, LogSummary

_FACTS = "SELECT sample_id, label, predicted, loss, new_label, correction FROM samples WHERE forgotten = 0"
_TOUCHED = "SELECT sample_id FROM events WHERE revision > ?"  # every change of a sample has an event that names it
_ROWS = 4096  # read at once
_FEW = 4  # touched samples are looked up if they are at most one in so many


class _Columns(NamedTuple):
    """Facts of n samples, by sample_id. labels, predicted: numbers of texts. is_new: the label had no other sample."""

    sample_ids: NDArray[np.int64]
    labels: NDArray[np.int32]
    predicted: NDArray[np.int32]
    losses: NDArray[np.float64]
    is_new: NDArray[np.bool_]
    is_correction: NDArray[np.bool_]

    @classmethod
    def pack(cls, columns: Sequence[Sequence[Any]]) -> _Columns:
        """Return lists of the same values as arrays."""
        sample_ids, labels, predicted, losses, is_new, is_correction = columns
        return cls(
            np.array(sample_ids, np.int64),
            np.array(labels, np.int32),
            np.array(predicted, np.int32),
            np.array(losses, np.float64),
            np.array(is_new, np.bool_),
            np.array(is_correction, np.bool_),
        )

    def select(self, rows: NDArray[Any]) -> _Columns:
        """Return the samples of a mask, or in an order."""
        return _Columns(*(column[rows] for column in self))


_EMPTY = _Columns.pack([[]] * 6)


class FactCursor(Protocol):
    """Rows of sample_id, label, predicted, loss, new_label, correction, read as they are needed."""

    def fetchmany(self, size: int, /) -> list[Any]:
        """Return the next rows, at most `size`; none after the last one."""


class FactSource(Protocol):
    """The facts of one log's live samples, at one revision."""

    def read_revision(self) -> int:
        """Return the revision."""

    def read_facts(self) -> FactCursor:
        """Return those of all samples, by sample_id."""

    def read_touched(self, since: int) -> list[int]:
        """Return the ids of the samples that events after a revision name."""

    def read_touched_facts(self, since: int) -> FactCursor:
        """Return those of the same samples."""


class SqliteFacts:
    """FactSource: the facts in a workspace's file, over a connection on which nothing else is done."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")
        self._run = connection.execute

    def read_revision(self) -> int:
        return int(self._run("SELECT IFNULL(MAX(revision), 0) FROM events").fetchone()[0])

    def read_facts(self) -> FactCursor:
        return self._run(f"{_FACTS} ORDER BY sample_id")

    def read_touched(self, since: int) -> list[int]:
        return [row[0] for row in self._run(_TOUCHED, (since,))]

    def read_touched_facts(self, since: int) -> FactCursor:
        return self._run(f"{_FACTS} AND sample_id IN ({_TOUCHED})", (since,))


class Summarizer:
    """Summarizes one log. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: dict[str, int] = {"": 0}
        self._columns = _EMPTY
        self._revision = 0  # at which the columns are those of the log

    @property
    def nbytes(self) -> int:
        """The bytes of memory that the columns take."""
        return sum(column.nbytes for column in self._columns)

    def summarize(self, source: FactSource, max_confusions: int) -> LogSummary:
        """Summarize the live samples at the source's revision."""
        with self._lock:
            self._catch_up(source)
            return self._count(max_confusions)

    def _catch_up(self, source: FactSource) -> None:
        """Bring the columns up to the source's revision."""
        newest = source.read_revision()
        known = len(self._columns.sample_ids)
        if not known or newest - self._revision > known // _FEW:
            self._columns = self._read(source.read_facts())
        elif newest != self._revision:
            touched = source.read_touched(self._revision)
            untouched = self._columns.select(~np.isin(self._columns.sample_ids, touched))
            found = self._read(source.read_touched_facts(self._revision))
            joined = _join([untouched, found])
            self._columns = joined.select(np.argsort(joined.sample_ids))
        self._revision = newest

    def _read(self, cursor: FactCursor) -> _Columns:
        parts = [_EMPTY]
        while rows := cursor.fetchmany(_ROWS):
            sample_ids, labels, predicted, *numbers = zip(*rows, strict=True)
            codes = (
                [self._texts.setdefault(text, len(self._texts)) for text in texts] for texts in (labels, predicted)
            )
            parts.append(_Columns.pack([sample_ids, *codes, *numbers]))
        return _join(parts)

    def _count(self, max_confusions: int) -> LogSummary:
        facts, texts = self._columns, list(self._texts)
        recognized, is_tested = facts.predicted == facts.labels, ~facts.is_new
        samples = len(facts.sample_ids)
        return LogSummary(
            samples=samples,
            average_loss=float(facts.losses.mean()) if samples else None,
            min_loss=float(facts.losses.min()) if samples else None,
            max_loss=float(facts.losses.max()) if samples else None,
            tested=int(is_tested.sum()),
            recognized=int((is_tested & recognized).sum()),
            corrections=int(facts.is_correction.sum()),
            labels=_summarize_labels(facts, recognized, texts),
            confusions=_find_confusions(
                facts.select(is_tested & ~recognized & (facts.predicted != 0)), texts, max_confusions
            ),
        )


def _join(parts: list[_Columns]) -> _Columns:
    return _Columns(*map(np.concatenate, zip(*parts, strict=True)))


def _summarize_labels(facts: _Columns, recognized: NDArray[np.bool_], texts: list[str]) -> tuple[LabelSummary, ...]:
    """Return the labels in the order of their oldest samples. recognized: (n,), of each sample."""
    codes, first, places, counts = np.unique(facts.labels, return_index=True, return_inverse=True, return_counts=True)
    averages = np.bincount(places, facts.losses, len(codes)) / counts
    hits = np.bincount(places[recognized], minlength=len(codes)) - recognized[first]
    newest = np.zeros(len(codes), np.int64)
    newest[places] = facts.sample_ids  # of equal places the last one counts
    rows = zip(*(column.tolist() for column in (codes, counts, averages, hits, newest)), strict=True)
    labels = [LabelSummary(texts[code], *numbers) for code, *numbers in rows]
    return tuple(labels[place] for place in np.argsort(first).tolist())


def _find_confusions(facts: _Columns, texts: list[str], most: int) -> tuple[Confusion, ...]:
    """Return the most frequent confusions among samples that were taken for others; of equal ones, the oldest."""
    pairs = facts.labels.astype(np.int64) * len(texts) + facts.predicted
    codes, first, counts = np.unique(pairs, return_index=True, return_counts=True)
    chosen = np.lexsort((first, -counts))[:most]
    found = zip(codes[chosen].tolist(), counts[chosen].tolist(), strict=True)
    return tuple(Confusion(texts[code // len(texts)], texts[code % len(texts)], count) for code, count in found)
