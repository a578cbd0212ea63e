"""Snapshots that the server takes by itself, and deletes by the rules of retention, in one background thread.

A commit only leaves a note here. Workspaces in which nothing changes are not looked at.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from haleganada_server.core.clock import now_us
from haleganada_server.core.errors import HaleganadaError, NotFound

from ..types import SnapshotInfo, SnapshotKind
from .keeper import SnapshotKeeper
from .retention import DAY_S, SECOND_US
from .schedule import Due, Schedule

_log = logging.getLogger(__name__)
_BATCH_S = 0.5
"""Changes within this time are looked at together."""
_LONGEST_WAIT_S = 600.0
_FIRST_SWEEP_US = 60 * SECOND_US
_SWEEP_US = DAY_S * SECOND_US
_RETRY_US = 600 * SECOND_US
_LAST_PASS_US = 2 * SECOND_US


class Source(Protocol):
    """A workspace of which a snapshot can be taken."""

    def save(self, name: str = "", kind: SnapshotKind = SnapshotKind.SAVED) -> SnapshotInfo: ...


@dataclass(slots=True)
class _Changed:
    """A workspace that changed since its last snapshot. due: None = not known yet."""

    revision: int
    samples_total: int
    changed_us: int
    due: Due | None = None


class AutomaticSnapshots:
    """Safe from any thread. start() it once, close() it once."""

    def __init__(
        self,
        keeper: SnapshotKeeper,
        use: Callable[[str], AbstractContextManager[Source]],
        schedule: Schedule | None = None,
        clock: Callable[[], int] = now_us,
    ) -> None:
        """use: gives a block the workspace of a name; raises NotFound if it was deleted. clock: returns microseconds
        since 1970 UTC.
        """
        self.keeper, self._use, self._schedule, self._clock = keeper, use, schedule or Schedule(), clock
        self._lock = threading.Lock()
        self._changed: dict[str, _Changed] = {}
        self._to_prune: set[str] = set()
        self._next_sweep_us = clock() + _FIRST_SWEEP_US
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="snapshots", daemon=True)

    def note_change(self, name: str, revision: int, samples_total: int) -> None:
        """Note that a workspace has changed. Takes microseconds."""
        with self._lock:
            if (known := self._changed.get(name)) is not None:
                known.revision, known.samples_total = revision, samples_total
            else:
                self._changed[name] = _Changed(revision, samples_total, self._clock())
        if not self._wake.is_set():
            self._wake.set()

    def note_kept(self, name: str) -> None:
        """Note that a workspace has a new snapshot or new trash, so that older ones may expire."""
        with self._lock:
            self._to_prune.add(name)
            if (known := self._changed.get(name)) is not None:
                known.due = None
        self._wake.set()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread, and take the snapshots that are due in at most about two seconds."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
            self.take_due(self._clock() + _LAST_PASS_US)

    def take_due(self, until_us: int | None = None) -> list[str]:
        """Take the snapshots that are due, and delete those that expired. Return the workspaces that got a snapshot.

        until_us: begin none later than that.
        """
        taken = []
        with self._lock:
            names = list(self._changed)
        for name in names:
            if until_us is not None and self._clock() > until_us:
                break
            if self._is_due(name) and self._try(name, self._take):
                taken.append(name)
        with self._lock:
            to_prune, self._to_prune = self._to_prune, set()
        for name in sorted(to_prune | self._names_to_sweep()):
            self._try(name, self.keeper.apply_rules)
        return taken

    def _work(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(self._seconds_to_wait())
            if self._closing.wait(_BATCH_S):
                return
            self._wake.clear()
            try:
                self.take_due()
            except OSError as error:  # a folder that cannot be listed now: the thread goes on
                _log.warning("the snapshots cannot be kept up to date: %s", error)

    def _seconds_to_wait(self) -> float:
        """Return the time until the next snapshot is due, at most ten minutes, since the clock may be set."""
        with self._lock:
            times = [max(known.due.time_us, known.due.earliest_us) for known in self._changed.values() if known.due]
            times += [known.due.earliest_us for known in self._changed.values() if known.due]
        wait_us = min([*times, self._next_sweep_us]) - self._clock()
        return min(max(wait_us / SECOND_US, _BATCH_S), _LONGEST_WAIT_S)

    def _is_due(self, name: str) -> bool:
        """Look at a workspace's snapshots only when its revision or the time says that one may be due."""
        with self._lock:
            known = self._changed.get(name)
        if known is None:
            return False
        if known.due is not None and not known.due.is_reached(known.revision, self._clock()):
            return False
        known.due = self._schedule.due(known.samples_total, known.changed_us, self.keeper.snapshots(name))
        return known.samples_total > 0 and known.due.is_reached(known.revision, self._clock())

    def _take(self, name: str) -> None:
        with self._use(name) as workspace:
            info = workspace.save("automatic", SnapshotKind.AUTOMATIC)
        with self._lock:
            if (known := self._changed.get(name)) is not None:
                known.due, known.changed_us = None, self._clock()
                if known.revision <= info.revision:
                    del self._changed[name]
            self._to_prune.add(name)

    def _try(self, name: str, work: Callable[[str], object]) -> bool:
        """Do something for a workspace; what fails is logged and tried again later."""
        try:
            work(name)
            return True
        except (HaleganadaError, OSError) as error:
            if isinstance(error, NotFound):
                _log.info("workspace %r was deleted before it got a snapshot", name)
            else:
                _log.warning("the snapshots of workspace %r cannot be kept up to date: %s", name, error)
            with self._lock:
                known = self._changed.pop(name, None)
                if known is not None and not isinstance(error, NotFound):
                    later = self._clock() + _RETRY_US
                    known.due = Due(known.revision, later, later)
                    self._changed[name] = known
            return False

    def _names_to_sweep(self) -> set[str]:
        """Return once a day the names of all workspaces that have snapshots or trash: those expire by age, too."""
        if self._clock() < self._next_sweep_us:
            return set()
        self._next_sweep_us = self._clock() + _RETRY_US  # should it fail
        names = set(self.keeper.names())
        self._next_sweep_us = self._clock() + _SWEEP_US
        return names
