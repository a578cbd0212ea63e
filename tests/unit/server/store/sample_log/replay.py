"""The state that follows from the events of a log alone: the reference for its other tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from haleganada_server.core.sample_log.rows import ChangeKind, Event
from haleganada_server.store.sample_log import row_mapping


@dataclass
class State:
    """Live samples with their labels, hidden ones, and links."""

    live: dict[int, str] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)


def replay_events(path: Path) -> State:
    """Return the state from the events alone, including undone ones and their undos."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(f"SELECT {row_mapping.EVENT} FROM events ORDER BY revision").fetchall()
    events = [row_mapping.to_event(row) for row in found]
    state, by_revision = State(), {event.revision: event for event in events}
    for event in events:
        if event.kind is ChangeKind.UNDO:
            assert by_revision[event.target].undone_by == event.revision
            _undo(state, by_revision[event.target])
        else:
            _apply(state, event)
    return state


def load_tables(path: Path) -> State:
    """Return the state from the other tables."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT sample_id, label, forgotten FROM samples").fetchall()
        links = dict(connection.execute("SELECT form, canonical FROM links").fetchall())
    live = {sample_id: label for sample_id, label, forgotten in found if not forgotten}
    return State(live, {sample_id for sample_id, _, forgotten in found if forgotten}, links)


def _apply(state: State, event: Event) -> None:
    if event.kind in (ChangeKind.TEACH, ChangeKind.CORRECT):
        state.live[event.sample_id] = event.label
        if event.canonical:
            state.links[event.label] = event.canonical
    elif event.kind is ChangeKind.RELABEL:
        assert state.live[event.sample_id] == event.previous
        state.live[event.sample_id] = event.label
    elif event.kind is ChangeKind.FORGET:
        del state.live[event.sample_id]
        state.hidden.add(event.sample_id)
    elif event.kind in (ChangeKind.LINK, ChangeKind.UNLINK):
        _link(state, event.label, event.canonical)


def _undo(state: State, event: Event) -> None:
    if event.kind in (ChangeKind.TEACH, ChangeKind.CORRECT):
        del state.live[event.sample_id]
        state.hidden.add(event.sample_id)
        if event.canonical:
            _link(state, event.label, event.previous)
    elif event.kind is ChangeKind.RELABEL:
        state.live[event.sample_id] = event.previous
    elif event.kind is ChangeKind.FORGET:
        state.hidden.discard(event.sample_id)
        state.live[event.sample_id] = event.label
    else:
        _link(state, event.label, event.previous)


def _link(state: State, form: str, canonical: str) -> None:
    state.links.pop(form, None)
    if canonical:
        state.links[form] = canonical
