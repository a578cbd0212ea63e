"""The state that follows from the events of a log alone, with which its other tables are compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from haleganada_server.core.sample_log.rows import ChangeKind


class Step(NamedTuple):
    """What a replay needs of an event; fields as in Event, kind as stored."""

    kind: str
    sample_id: int
    label: str
    previous: str
    canonical: str


TAUGHT = {ChangeKind.TEACH.value, ChangeKind.CORRECT.value}
"""Kinds of events that add a sample, as stored."""
_LINKED = {ChangeKind.LINK.value, ChangeKind.UNLINK.value}
_RELABEL, _FORGET = ChangeKind.RELABEL.value, ChangeKind.FORGET.value


@dataclass(slots=True)
class Replay:
    """The state after the events so far. labels: by sample_id, of forgotten samples too. links: form -> canonical, in
    the order in which they were made.
    """

    labels: dict[int, str] = field(default_factory=dict)
    forgotten: set[int] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)

    def apply(self, step: Step) -> None:
        """Carry out an event that is not an undo."""
        if step.kind in TAUGHT:
            self.labels[step.sample_id] = step.label
            if step.canonical:
                self._link(step.label, step.canonical)
        elif step.kind == _RELABEL:
            self.labels[step.sample_id] = step.label
        elif step.kind == _FORGET:
            self.forgotten.add(step.sample_id)
        elif step.kind in _LINKED:
            self._link(step.label, step.canonical)

    def undo(self, step: Step) -> None:
        """Take back an event."""
        if step.kind in TAUGHT:
            self.forgotten.add(step.sample_id)
            if step.canonical:
                self._link(step.label, step.previous)
        elif step.kind == _RELABEL:
            self.labels[step.sample_id] = step.previous
        elif step.kind == _FORGET:
            self.forgotten.discard(step.sample_id)
        elif step.kind in _LINKED:
            self._link(step.label, step.previous)

    def _link(self, form: str, canonical: str) -> None:
        self.links.pop(form, None)
        if canonical:
            self.links[form] = canonical
