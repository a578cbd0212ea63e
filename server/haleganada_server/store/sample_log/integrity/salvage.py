"""Reads every row that is still as it was written out of a damaged workspace file, without changing the file.

A range of rows that cannot be read because a page is damaged is halved until only the unreadable rows are left.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from haleganada_server.core.sample_log.rows import ChangeKind, Event, SampleRow

from .checks import CHECKED_EVENT, CHECKED_FACTS, UNREADABLE, RowChecks
from .replay import Replay, Step

_DAMAGE = (sqlite3.Error, UnicodeDecodeError)
_MODES = ("ro", "ro&immutable=1")  # with its journal, and without
_TAUGHT = (ChangeKind.TEACH.value, ChangeKind.CORRECT.value)
_DERIVED = "embedder_hash, embedding, glyph_kind, glyph, embedding_check, glyph_check"
_WIDE = 1 << 22  # ids to search if the greatest is not known
_MAX_FAILURES = 100_000  # after a second of them, nothing more is to be expected
_FACTS = CHECKED_FACTS.split(", ")


@dataclass(slots=True)
class Salvage:
    """What is left of a workspace. samples: live ones by id. forgotten_samples: the others. taught: the events that
    taught them, if they are left. links: form -> canonical. without_drawing, to_embed: ids of live samples that lack
    their drawing, or their embedding, which can be computed again. lost: ids of live samples that are known, but not
    left. events: all that are as they were written. events_sound: whether these are all. labels: by sample_id, as the
    events say. created_us: when the workspace was created.
    """

    samples: dict[int, SampleRow] = field(default_factory=dict)
    taught: dict[int, Event] = field(default_factory=dict)
    forgotten_samples: dict[int, SampleRow] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)
    created_us: int = 0
    links: dict[str, str] = field(default_factory=dict)
    forgotten: set[int] = field(default_factory=set)
    without_drawing: list[int] = field(default_factory=list)
    to_embed: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    events_sound: bool = True

    @property
    def has_history(self) -> bool:
        """Whether all events are left, and exactly the samples that they are about."""
        return self.events_sound and self.labels.keys() == self.samples.keys() | self.forgotten_samples.keys()

    @property
    def worth(self) -> tuple[int, int, bool]:
        """The greater, the more is left."""
        return len(self.samples) + len(self.forgotten_samples), len(self.events), self.events_sound


def salvage(path: Path, origins: Iterable[tuple[str, int]], last_id: int) -> Salvage:
    """Read what is left of a file. origins: names and times of creation that it may have, besides the one that it
    gives. last_id: greatest sample_id and revision that may occur, 0 = unknown.
    """
    best = Salvage(events_sound=False)
    for mode in _MODES:
        with suppress(*_DAMAGE), closing(_open(path, mode)) as connection:
            for name, created_us in dict.fromkeys([*_read_origin(connection), *origins]):
                found = _salvage(connection, RowChecks(name, created_us), last_id)
                found.created_us = created_us
                if found.worth > best.worth:
                    best = found
                if found.samples or found.events:
                    break  # the others would fit no row
    return best


def _salvage(connection: sqlite3.Connection, checks: RowChecks, last_id: int) -> Salvage:
    found = Salvage()
    replay = _read_events(connection, checks, last_id, found)
    for row in _read_rows(connection, "samples", f"{CHECKED_FACTS}, facts_check, {_DERIVED}", "sample_id", last_id):
        _take_sample(row, checks, replay, found)
    found.links = dict(replay.links)
    if not found.events_sound:
        with suppress(*_DAMAGE):
            found.links = dict(connection.execute("SELECT form, canonical FROM links ORDER BY position").fetchall())
    live = replay.labels.keys() - replay.forgotten
    found.lost = sorted(live - found.samples.keys())
    return found


def _read_events(connection: sqlite3.Connection, checks: RowChecks, last_id: int, found: Salvage) -> Replay:
    replay, digest, steps = Replay(), checks.start, {}
    for *row, stored in _read_rows(connection, "events", f"{CHECKED_EVENT}, digest", "revision", last_id):
        revision, time_us, sample_id, target, kind, request_id, client, *texts, hashed = row
        label, previous, canonical, answer = texts
        try:
            sound = checks.event_digest(digest, row) == stored
        except UNREADABLE:
            sound = False
        found.events_sound &= sound
        digest = stored if isinstance(stored, bytes) else b""
        if not sound:
            continue
        event = Event(
            ChangeKind(kind), time_us, request_id=request_id or "", payload_hash=hashed or b"", client=client,
            sample_id=sample_id, label=label, previous=previous, canonical=canonical, target=target, answer=answer,
            revision=revision,
        )  # fmt: skip
        found.events.append(event)
        step = steps[revision] = Step(kind, sample_id, label, previous, canonical)
        if kind == ChangeKind.UNDO.value:
            if target in steps:
                replay.undo(steps[target])
            continue
        replay.apply(step)
        if kind in _TAUGHT:
            found.taught[sample_id] = event
    found.events_sound &= digest != checks.start  # without any event, nothing is known
    found.forgotten, found.labels = replay.forgotten, replay.labels
    return replay


def _take_sample(row: tuple[Any, ...], checks: RowChecks, replay: Replay, found: Salvage) -> None:
    """Keep a sample if its drawing or its embedding is as it was written."""
    facts = dict(zip(_FACTS, row, strict=False))
    facts_check, embedder_hash, embedding, kind, glyph, embedding_check, glyph_check = row[len(_FACTS) :]
    sample_id = facts["sample_id"]
    with suppress(*UNREADABLE):
        if checks.glyph_check(sample_id, kind, glyph) != glyph_check:
            glyph = b""
        if checks.embedding_check(sample_id, embedder_hash, embedding) != embedding_check:
            embedder_hash, embedding = "", b""
        if checks.facts_check(list(facts.values())) != facts_check:
            label = replay.labels.get(sample_id, facts["label"])
            facts |= {"forgotten": int(sample_id in replay.forgotten), "label": label}  # as the events say
            if checks.facts_check(list(facts.values())) != facts_check:
                facts = _facts_from_event(found.taught.get(sample_id), replay)
        if not facts or not (glyph or embedder_hash):
            return
        is_forgotten = sample_id in replay.forgotten if found.events_sound else facts["forgotten"]
        if not glyph and not is_forgotten:
            found.without_drawing.append(sample_id)
        if not embedder_hash and not is_forgotten:
            found.to_embed.append(sample_id)
        label = replay.labels.get(sample_id, facts["label"]) if found.events_sound else facts["label"]
        del facts["forgotten"]
        for name in ("new_label", "correction"):
            facts[name] = bool(facts[name])
        stored = {"glyph_kind": kind, "glyph": glyph, "embedding": np.frombuffer(embedding, dtype="<f4")}
        kept = found.forgotten_samples if is_forgotten else found.samples
        kept[sample_id] = SampleRow(**{**facts, **stored, "embedder_hash": embedder_hash, "label": label})


def _facts_from_event(event: Event | None, replay: Replay) -> dict[str, Any]:
    """Return a sample's facts as far as the event that taught it knows them; {} without one."""
    if event is None:
        return {}
    answer: dict[str, Any] = {}
    with suppress(ValueError):
        answer = json.loads(event.answer)
    answer = answer.get("taught", answer)
    return {
        "sample_id": event.sample_id, "forgotten": int(event.sample_id in replay.forgotten), "new_label": False,
        "correction": event.kind is ChangeKind.CORRECT, "predicted_revision": 0, "time_us": event.time_us,
        "revision": event.revision, "loss": float(answer.get("loss", 0.0)),
        "label": replay.labels.get(event.sample_id, event.label), "predicted": "",
    }  # fmt: skip


def _read_rows(
    connection: sqlite3.Connection, table: str, columns: str, key: str, last: int
) -> Iterator[tuple[Any, ...]]:
    """Yield the readable rows of a table in the order of their key; `last`: the greatest key, 0 = unknown."""
    greatest = 0
    with suppress(*_DAMAGE):
        greatest = connection.execute(f"SELECT IFNULL(MAX({key}), 0) FROM {table}").fetchone()[0]
    ranges, failures = [(1, max(last, greatest) or _WIDE)], 0
    query = f"SELECT {columns} FROM {table} WHERE {key} BETWEEN ? AND ? ORDER BY {key}"
    try:
        connection.execute(f"SELECT {columns} FROM {table} WHERE 0")
    except _DAMAGE:  # the table itself is not known, so no range of it can be read
        return
    while ranges and failures < _MAX_FAILURES:
        low, high = ranges.pop()
        try:
            page = connection.execute(query, (low, high)).fetchall()
        except _DAMAGE:
            failures += 1
            if low < high:
                middle = (low + high) // 2
                ranges += [(middle + 1, high), (low, middle)]
            continue
        yield from page


def _read_origin(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    with suppress(*_DAMAGE, ValueError, KeyError):
        found = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        return [(found["name"], int(found["created_us"]))]
    return []


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
