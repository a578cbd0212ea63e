"""The storage port in memory, for tests that make thousands of changes. The battery that SQLite's passes proves it."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any, cast

import numpy as np
from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import AlreadyExists, DataLoss, NotFound, Unavailable
from haleganada_server.core.folder_names import FolderNames
from haleganada_server.core.glyphs.ports import Rasterizer
from haleganada_server.core.sample_log.ports import SampleVisitor, WorkspaceLog
from haleganada_server.core.sample_log.rows import (
    LABELING,
    UNDOABLE,
    ChangeKind,
    Confusion,
    EmbeddedSamples,
    Event,
    FollowedEvent,
    LabelSummary,
    LiveSample,
    LogState,
    LogSummary,
    SampleFacts,
    SampleRow,
    StaleSample,
)
from haleganada_server.core.workspaces.ports import ExportFile, ImportItem, LogOutline, OnNote, ignore_note
from haleganada_server.core.workspaces.types import RefusedItem, SnapshotInfo, SnapshotKind, TransferFormat
from haleganada_server.store import formats
from haleganada_server.store.import_stage import ImportStage
from haleganada_server.store.sample_log.reader import LogReader
from numpy.typing import NDArray


@dataclass(frozen=True)
class _State:
    """What a log holds after a commit. Nobody changes one; a transaction makes the next."""

    events: tuple[Event, ...] = ()
    samples: Mapping[int, SampleRow] = field(default_factory=dict)  # forgotten ones included
    forgotten: frozenset[int] = frozenset()
    links: Mapping[str, str] = field(default_factory=dict)
    used_sample_ids: int = 0  # by earlier logs

    @property
    def revision(self) -> int:
        return self.events[-1].revision if self.events else 0

    def live(self, label: str = "") -> list[SampleRow]:
        """Live samples (of a label), oldest first."""
        return [row for row in self.samples.values() if self._is_live(row) and label in ("", row.label)]

    def hidden(self) -> list[SampleRow]:
        return [row for row in self.samples.values() if not self._is_live(row)]

    def _is_live(self, row: SampleRow) -> bool:
        return row.sample_id not in self.forgotten


class _MemoryTransaction:
    """core's LogTransaction."""

    def __init__(self, state: _State) -> None:
        self._events = list(state.events)
        self._samples, self._links = dict(state.samples), dict(state.links)
        self._forgotten = set(state.forgotten)
        self._used = state.used_sample_ids

    def state(self) -> _State:
        in_order = {number: self._samples[number] for number in sorted(self._samples)}
        return _State(tuple(self._events), in_order, frozenset(self._forgotten), self._links, self._used)

    def news(self, revision: int) -> Sequence[FollowedEvent]:
        del revision  # nobody else writes
        return ()

    def find_event(self, request_id: str) -> Event | None:
        return next((event for event in self._events if event.request_id == request_id), None)

    def append(self, event: Event) -> int:
        if event.request_id and self.find_event(event.request_id):
            raise ValueError("request_id is UNIQUE")
        last = self._events[-1].revision if self._events else 0
        revision = max(last + 1, event.revision)
        self._events.append(replace(event, revision=revision))
        return revision

    def add_sample(self, sample: SampleRow) -> None:
        self._samples[sample.sample_id] = sample

    def sample(self, sample_id: int, *, forgotten: bool = False) -> SampleRow | None:
        return self._samples.get(sample_id) if (sample_id in self._forgotten) is forgotten else None

    def find_drawing(self, label: str, glyph_kind: str, glyph: bytes) -> int:
        same = (
            row.sample_id
            for row in self._samples.values()
            if row.sample_id not in self._forgotten
            and (row.label, row.glyph_kind, row.glyph) == (label, glyph_kind, glyph)
        )
        return min(same, default=0)

    def next_sample_id(self) -> int:
        return max(max(self._samples, default=0), self._used) + 1

    def set_label(self, sample_id: int, label: str) -> None:
        self._change(sample_id, label=label)

    def set_forgotten(self, sample_id: int, forgotten: bool) -> None:
        (self._forgotten.add if forgotten else self._forgotten.discard)(sample_id)

    def set_canonical(self, form: str, canonical: str) -> None:
        self._links.pop(form, None)
        if canonical:
            self._links[form] = canonical

    def set_embedding(self, sample_id: int, embedding: NDArray[np.float32], embedder_hash: str) -> None:
        self._change(sample_id, embedding=embedding, embedder_hash=embedder_hash)

    def last_change(self, before: int | None = None) -> Event | None:
        undoable = (event for event in reversed(self._events) if event.kind in UNDOABLE and not event.undone_by)
        return next((event for event in undoable if before is None or event.revision < before), None)

    def mark_undone(self, revision: int, by: int) -> None:
        self._events = [replace(e, undone_by=by) if e.revision == revision else e for e in self._events]

    def _change(self, sample_id: int, **facts: Any) -> None:
        if sample_id in self._samples:
            self._samples[sample_id] = replace(self._samples[sample_id], **facts)


@dataclass
class _Place:
    """Where a log's state lives while nobody has it open, as a file does."""

    name: str
    created_us: int
    state: _State = field(default_factory=_State)


class MemoryLog:
    """core's WorkspaceLog."""

    def __init__(self, place: _Place) -> None:
        self._place = place
        self._closed = False

    @property
    def name(self) -> str:
        return self._place.name

    @property
    def created_us(self) -> int:
        return self._place.created_us

    @property
    def closed(self) -> bool:
        return self._closed

    def last_sample_id(self) -> int:
        return max(max(self._state().samples, default=0), self._state().used_sample_ids)

    def revision(self) -> int:
        return self._state().revision

    def news(self, revision: int) -> Sequence[FollowedEvent]:
        del revision  # nobody else writes
        return ()

    @contextmanager
    def transaction(self) -> Iterator[_MemoryTransaction]:
        transaction = _MemoryTransaction(self._state())
        yield transaction
        self._place.state = transaction.state()

    def last_event(self) -> Event | None:
        return max(self._state().events, key=lambda event: event.revision, default=None)

    def sample(self, sample_id: int) -> SampleRow | None:
        return next((row for row in self._state().live() if row.sample_id == sample_id), None)

    def samples(self, label: str = "", before: int = 0, limit: int = 50) -> list[SampleRow]:
        newest_first = reversed(self._state().live(label))
        return [row for row in newest_first if not before or row.sample_id < before][:limit]

    def count(self, label: str = "") -> int:
        return len(self._state().live(label))

    def sample_facts(self, newest: int | None = None) -> list[SampleFacts]:
        names, rows = SampleFacts.__dataclass_fields__, self._state().live()
        rows = rows if newest is None else rows[max(0, len(rows) - newest) :]
        return [SampleFacts(**{name: getattr(row, name) for name in names}) for row in rows]

    def summarize(self, max_confusions: int) -> LogSummary:
        rows = self._state().live()
        losses, tested = [row.loss for row in rows], [row for row in rows if not row.new_label]
        wrong = Counter((row.label, row.predicted) for row in tested if row.predicted not in ("", row.label))
        return LogSummary(
            samples=len(rows),
            average_loss=fmean(losses) if losses else None,
            min_loss=min(losses, default=None),
            max_loss=max(losses, default=None),
            tested=len(tested),
            recognized=sum(row.predicted == row.label for row in tested),
            corrections=sum(row.correction for row in rows),
            labels=tuple(_summarize_label(self._state().live(label)) for label in dict.fromkeys(r.label for r in rows)),
            confusions=tuple(Confusion(*pair, number) for pair, number in wrong.most_common(max_confusions)),
        )

    def live_samples(self) -> tuple[int, list[LiveSample]]:
        state = self._state()
        return state.revision, [LiveSample(row.sample_id, row.label, row.revision) for row in state.live()]

    def samples_by_id(self, sample_ids: Sequence[int]) -> list[SampleRow]:
        return [row for number, row in self._state().samples.items() if number in sample_ids]

    def clients(self, revisions: Sequence[int]) -> dict[int, str]:
        return {event.revision: event.client for event in self._state().events if event.revision in revisions}

    def embeddings(self, embedder_hash: str, newest: int | None = None) -> Iterator[EmbeddedSamples]:
        found = [row for row in self._state().live() if row.embedder_hash == embedder_hash]
        if len({row.embedding.shape for row in found}) > 1:
            raise DataLoss("its embeddings differ in length")
        found = found if newest is None else found[max(0, len(found) - newest) :]
        if found:
            ids, labels = [row.sample_id for row in found], [row.label for row in found]
            yield EmbeddedSamples(ids, labels, np.stack([row.embedding for row in found]))

    def stale_samples(self, embedder_hash: str) -> list[StaleSample]:
        state = self._state()
        return [
            StaleSample(row.sample_id, row.label, row.sample_id in state.forgotten)
            for row in state.samples.values()
            if row.embedder_hash != embedder_hash
        ]

    def embedding_dimension(self) -> int:
        """See LogReader, whose place a log takes when it is exported."""
        lengths = [len(row.embedding) for row in self._state().live()]
        return max(sorted(set(lengths)), key=lengths.count, default=0)

    def all_samples(self) -> Iterator[SampleRow]:
        yield from self._state().live()

    def forgotten_samples(self) -> Iterator[SampleRow]:
        yield from self._state().hidden()

    def class_ids(self) -> dict[str, int]:
        labels = dict.fromkeys(event.label for event in self._state().events if event.kind in LABELING)
        return {label: number for number, label in enumerate(labels)}

    def links(self) -> dict[str, str]:
        return dict(self._state().links)

    def bytes_on_disk(self) -> int:
        return sum(len(row.glyph) + row.embedding.nbytes for row in self._state().samples.values())

    @property
    def memory_bytes(self) -> int:
        return 0

    def copy_to(self, path: Path) -> None:
        raise NotImplementedError("no file holds what is in memory")

    def checkpoint(self) -> None:
        self._state()

    def close(self) -> None:
        self._closed = True

    def _state(self) -> _State:
        if self._closed:
            raise Unavailable(f"the workspace “{self.name}” is being replaced or closed; repeat the call")
        return self._place.state


def _summarize_label(rows: list[SampleRow]) -> LabelSummary:
    recognized = sum(row.predicted == row.label for row in rows[1:])
    return LabelSummary(rows[0].label, len(rows), fmean(row.loss for row in rows), recognized, rows[-1].sample_id)


class MemoryDirectory:
    """core's WorkspaceDirectory. close() it and use it again: as a disk does, it keeps what it holds."""

    def __init__(self, rasterizer: Rasterizer, clock: Callable[[], int] = now_us) -> None:
        self._rasterizer, self._clock = rasterizer, clock
        self._places: dict[str, _Place] = {}
        self._kept: dict[str, list[tuple[SnapshotInfo, _Place]]] = {}
        self._used: dict[str, tuple[int, int]] = {}  # the last revision and sample_id of replaced and deleted logs
        self._temporary = Path(tempfile.mkdtemp())

    @property
    def is_shared(self) -> bool:
        return False

    def follow(self, on_changed: Callable[[str], None], loaded: Callable[[], Mapping[str, int]]) -> None:
        """There are no others."""

    def measure_lag(self) -> None:
        """There are no others."""

    def measure_age_s(self) -> float:
        return 0.0

    def names(self) -> list[str]:
        return sorted(self._places)

    def exists(self, name: str) -> bool:
        return name in self._places

    def create(self, name: str, visitor: SampleVisitor | None = None) -> MemoryLog:
        if name in self._places:
            raise AlreadyExists(f"there is already a workspace “{name}”", Reason.WORKSPACE_EXISTS)
        again = Event(ChangeKind.RESET, time.time_ns() // 1000) if name in self._used else None
        self._put_in_place(_Place(name, time.time_ns() // 1000), again)
        return self.open(name, visitor)

    def open(self, name: str, visitor: SampleVisitor | None = None) -> MemoryLog:
        if name not in self._places:
            raise NotFound("workspace", name, "check the name, or create it first")
        log = MemoryLog(self._places[name])
        if visitor is not None:
            for block in log.embeddings(visitor.embedder_hash):
                visitor.add(block)
            for stale in log.stale_samples(visitor.embedder_hash):
                visitor.add_stale(stale)
            visitor.take_state(LogState(log.revision(), log.count(), log.class_ids(), log.links()))
        return log

    def outline(self, name: str, embedder_hash: str) -> LogOutline:
        log = self.open(name)
        live = self._places[name].state.live()
        return LogOutline(
            revision=log.revision(),
            samples_total=len(live),
            labels_known=len({row.label for row in live}),
            samples_to_embed=sum(row.embedder_hash != embedder_hash for row in live),
            created_us=log.created_us,
            bytes_on_disk=log.bytes_on_disk(),
        )

    def replace(
        self,
        name: str,
        log: WorkspaceLog | None,
        event: Event,
        snapshot_id: str = "",
        visitor: SampleVisitor | None = None,
    ) -> tuple[MemoryLog, SnapshotInfo | None]:
        place = replace(self._find(name, snapshot_id)) if snapshot_id else _Place(name, time.time_ns() // 1000)
        retired = self._retire(name, log, event.kind.value) if name in self._places else None
        self._put_in_place(place, event)
        return self.open(name, visitor), retired

    def delete(self, name: str, log: WorkspaceLog | None) -> SnapshotInfo:
        if name not in self._places:
            raise NotFound("workspace", name)
        return self._retire(name, log, "delete")

    def _retire(self, name: str, log: WorkspaceLog | None, why: str) -> SnapshotInfo:
        place = self._places.pop(name)
        used_before = self._used.get(name, (0, 0))[1]
        last_sample_id = max(max(place.state.samples, default=0), place.state.used_sample_ids, used_before)
        self._used[name] = place.state.revision, last_sample_id
        if log is not None:
            log.close()
        return self._keep(place, f"before {why}", SnapshotKind.TRASH)

    def save(self, log: WorkspaceLog, name: str, kind: SnapshotKind = SnapshotKind.SAVED) -> SnapshotInfo:
        kept = replace(self._places[log.name])
        return self._keep(kept, name or time.strftime("%Y-%m-%d %H:%M:%S"), kind)

    def discard(self, name: str, snapshot: SnapshotInfo) -> int:
        self._kept[name] = [(info, place) for info, place in self._kept.get(name, []) if info != snapshot]
        return snapshot.bytes

    def snapshot_bytes(self, name: str) -> int:
        return sum(info.bytes for info in self.snapshots(name))

    def require_room(self, needed: int = 0) -> None:
        """There is always room."""

    def is_sound(self, name: str, snapshot: SnapshotInfo) -> bool:
        return snapshot in self.snapshots(name)

    def snapshots(self, name: str) -> list[SnapshotInfo]:
        known = [info for info, _ in self._kept.get(name, [])]
        return sorted(known, key=lambda info: (info.created_us, info.revision), reverse=True)

    def names_with_snapshots(self) -> list[str]:
        return sorted(name for name, kept in self._kept.items() if kept)

    def export(self, log: WorkspaceLog, form: TransferFormat) -> ExportFile:
        frozen = MemoryLog(replace(self._places[log.name]))
        return formats.write(cast(LogReader, frozen), self._rasterizer, form, self.temporary_file())

    def export_snapshot(self, name: str, snapshot_id: str, form: TransferFormat) -> ExportFile:
        frozen = MemoryLog(replace(self._find(name, snapshot_id)))
        return formats.write(cast(LogReader, frozen), self._rasterizer, form, self.temporary_file())

    def read_import(
        self,
        path: Path,
        form: TransferFormat | None,
        folder_names: FolderNames = FolderNames.AUTO,
        on_note: OnNote = ignore_note,
    ) -> Iterator[ImportItem | RefusedItem]:
        return formats.read(path, form, self._rasterizer, folder_names, on_note)

    def stage_import(self) -> ImportStage:
        return ImportStage(self.temporary_file())

    def temporary_file(self) -> Path:
        self._temporary.mkdir(exist_ok=True)
        return self._temporary / secrets.token_hex(12)

    def close(self) -> None:
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _put_in_place(self, place: _Place, event: Event | None) -> None:
        last_revision, used_sample_ids = self._used.get(place.name, (0, 0))
        place.state = replace(place.state, used_sample_ids=used_sample_ids)
        self._places[place.name] = place
        if event is not None:
            with MemoryLog(place).transaction() as transaction:
                transaction.append(replace(event, revision=max(event.revision, last_revision + 1)))

    def _keep(self, place: _Place, name: str, kind: SnapshotKind) -> SnapshotInfo:
        info = SnapshotInfo(
            snapshot_id=f"r{place.state.revision}-{secrets.token_hex(6)}",
            name=name,
            revision=place.state.revision,
            samples_total=len(place.state.live()),
            created_us=self._clock(),
            bytes=0,
            sha256="0" * 64,
            trash=kind is SnapshotKind.TRASH,
            kind=kind,
        )
        self._kept.setdefault(place.name, []).append((info, place))
        return info

    def _find(self, name: str, snapshot_id: str) -> _Place:
        for info, place in self._kept.get(name, []):
            if info.snapshot_id == snapshot_id:
                return place
        raise NotFound("snapshot", snapshot_id, f"list the snapshots of “{name}”")
