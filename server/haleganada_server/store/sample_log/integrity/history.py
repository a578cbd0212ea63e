"""What follows from a log's events, taken page by page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import not_
from typing import Any

from haleganada_server.core.sample_log.rows import LABELING, ChangeKind

from .checks import CHECKED_EVENT
from .replay import TAUGHT, Replay, Step

_UNDO = ChangeKind.UNDO.value
_LABELING = {kind.value for kind in LABELING}
_COLUMNS = CHECKED_EVENT.split(", ")
_Columns = Sequence[Sequence[Any]]


class History:
    """The state after the events so far, which of them are undone, and which label came first."""

    def __init__(self) -> None:
        self.replay = Replay()
        self.class_ids: dict[str, int] = {}
        """See WorkspaceLog.class_ids."""
        self.revision = 0
        """The last one so far."""
        self._steps: dict[int, Step] = {}
        self._undone: dict[int, int] = {}
        self._marked: dict[int, int] = {}

    def take(self, columns: _Columns, undone_by: Sequence[int]) -> None:
        """Go on with some events. columns: CHECKED_EVENT, a sequence for each. undone_by: revisions, 0 = not undone."""
        of = dict(zip(_COLUMNS, columns, strict=True))
        self.revision = of["revision"][-1]
        self._number_labels(of["kind"], of["label"])
        plain = [
            kind in TAUGHT and not (canonical or undone)  # nearly all of them
            for kind, canonical, undone in zip(of["kind"], of["canonical"], undone_by, strict=True)
        ]
        # A sample is taught before anything else happens to it, so these may come before the others of the page.
        self.replay.labels.update(compress(zip(of["sample_id"], of["label"], strict=True), plain))
        if not all(plain):
            names = ("kind", "sample_id", "label", "previous", "canonical")
            rows = zip(of["revision"], of["target"], undone_by, *(of[name] for name in names), strict=True)
            for revision, target, undone, *fields in compress(rows, map(not_, plain)):
                self._take_one(revision, target, undone, Step(*fields))

    def find_wrong_marks(self) -> list[int]:
        """Return the revisions that are marked as undone and are not, or are undone without such a mark."""
        revisions = {*self._undone, *self._marked}
        return sorted(revision for revision in revisions if self._undone.get(revision) != self._marked.get(revision))

    def _number_labels(self, kinds: Sequence[str], labels: Sequence[str]) -> None:
        for label in dict.fromkeys(compress(labels, map(_LABELING.__contains__, kinds))):
            self.class_ids.setdefault(label, len(self.class_ids))

    def _take_one(self, revision: int, target: int, undone_by: int, step: Step) -> None:
        if step.kind == _UNDO:
            self._undone[target] = revision
            if target in self._steps:
                self.replay.undo(self._steps[target])
        else:
            if undone_by:  # if the mark of one that was undone is missing, find_wrong_marks says so
                self._steps[revision] = step
            self.replay.apply(step)
        if undone_by:
            self._marked[revision] = undone_by
