"""The samples of an import on disk until all of them are taught: a table in a temporary SQLite file, never synced."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from haleganada_server.core.workspaces.changes.teaching import NewSample, Prequential
from haleganada_server.core.workspaces.ports import StagedSample

from .errors import storage_errors
from .sample_log.row_mapping import vector_bytes

_COLUMNS = (
    "item, key, label, variant_of, glyph_kind, glyph, embedding, embedder_hash, time_us, loss, predicted, new_label, "
    "correction"
)
_WHOSE = "the import"


class ImportStage:
    """core.workspaces.ports.ImportStage."""

    def __init__(self, path: Path) -> None:
        """path: of a new file, which close() removes."""
        self._path = path
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        with storage_errors(_WHOSE):
            self._file.execute("PRAGMA journal_mode = OFF")
            self._file.execute("PRAGMA synchronous = OFF")
            self._file.execute(f"CREATE TABLE staged (position INTEGER PRIMARY KEY, {_COLUMNS})")

    def add(self, samples: Sequence[StagedSample]) -> None:
        places = ", ".join("?" * len(_COLUMNS.split(", ")))
        with storage_errors(_WHOSE):
            self._file.execute("BEGIN")
            self._file.executemany(f"INSERT INTO staged ({_COLUMNS}) VALUES ({places})", map(_to_row, samples))
            self._file.execute("COMMIT")

    def __iter__(self) -> Iterator[StagedSample]:
        with storage_errors(_WHOSE):
            yield from map(_from_row, self._file.execute(f"SELECT {_COLUMNS} FROM staged ORDER BY position"))

    def close(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def _to_row(staged: StagedSample) -> tuple[object, ...]:
    new, known = staged.new, staged.new.prequential
    facts = (known.time_us, known.loss, known.predicted, known.new_label, known.correction) if known else (None,) * 5
    vector = vector_bytes(new.embedding)
    return (staged.item, staged.key, new.label, new.variant_of, *new.stored, vector, new.embedder_hash, *facts)


def _from_row(row: tuple[Any, ...]) -> StagedSample:
    item, key, label, variant_of, kind, glyph, vector, embedder_hash, time_us, loss, predicted, is_new, correction = row
    known = None
    if time_us is not None:
        known = Prequential(
            time_us=time_us, loss=loss, predicted=predicted, new_label=bool(is_new), correction=bool(correction)
        )
    new = NewSample(
        label=label,
        variant_of=variant_of,
        stored=(kind, glyph),
        embedding=np.frombuffer(vector, dtype="<f4"),
        embedder_hash=embedder_hash,
        prequential=known,
    )
    return StagedSample(item, key, new)
