"""Loads workspaces at their first use and unloads those that were used least recently, within a budget of memory.

A use of a workspace that is loaded takes no lock: it pins the entry, then looks whether the workspace is there. Whoever
unloads it takes the workspace away first, then looks for pins, and puts it back if there are any. So one of the two
always sees the other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from types import TracebackType

from haleganada_server.core.baton import locked, without_baton
from haleganada_server.core.errors import DataLoss, NotFound

from ..workspace import Workspace
from .census import Census, take_census
from .entry import Entry

_log = logging.getLogger(__name__)


class Registry:
    """The workspaces that exist, by name. Safe from any thread."""

    def __init__(
        self,
        load: Callable[[str], Workspace],
        budget: int,
        is_needed: Callable[[str], bool],
        on_unload: Callable[[Entry, Workspace], None],
        has_appeared: Callable[[str], bool] = lambda _name: False,
    ) -> None:
        """load: opens a workspace from the disk. budget: bytes of memory for those that are loaded; more are only while
        that many are in use. is_needed: whether a workspace must stay loaded although no call uses it. on_unload: is
        called for each workspace that is about to be closed. has_appeared: whether another server has created a
        workspace of this name.
        """
        self._load_from_disk, self._budget = load, budget
        self._is_needed, self._on_unload = is_needed, on_unload
        self._has_appeared = has_appeared
        self._entries: dict[str, Entry] = {}
        self._clock = count(1)
        self._weighing, self._trimming = threading.Lock(), threading.Lock()
        self._total = 0

    # Entries

    def names(self) -> list[str]:
        """Return the names of all workspaces, sorted."""
        return sorted(self._entries)

    def list_loaded(self) -> list[Workspace]:
        """Return the workspaces that are in memory."""
        return [entry.workspace for entry in list(self._entries.values()) if entry.workspace is not None]

    def census(self) -> Census:
        """Return how many workspaces there are, and what is in them."""
        return take_census(list(self._entries.values()))

    def add_names(self, names: Iterable[str]) -> None:
        """Add workspaces that exist on disk."""
        for name in names:
            self._entries.setdefault(name, Entry(name))

    def add(self, name: str, workspace: Workspace) -> None:
        """Add a workspace that was just created."""
        entry = Entry(name)
        self.put(entry, workspace)
        self._entries[name] = entry
        self.trim()

    def find(self, name: str) -> Entry | None:
        """Return the entry of a workspace; None if it does not exist."""
        return self._entries.get(name)

    def require(self, name: str) -> Entry:
        """Return the entry of a workspace. Raises NotFound."""
        entry = self._entries.get(name)
        if entry is None and self._has_appeared(name):
            self.add_names([name])
            entry = self._entries.get(name)
        if entry is None:
            raise NotFound("workspace", name, "check the name, or create it first")
        return entry

    def remove(self, entry: Entry) -> None:
        """Forget a workspace that was deleted. The entry's lock is held."""
        entry.is_deleted = True
        self._entries.pop(entry.name, None)
        self._weigh(entry, None)

    def restore(self, entry: Entry) -> None:
        """Add the entry of a workspace that has a sound file now, unless it is here already. Its lock is held."""
        entry.damage = entry.outline = None
        self._entries[entry.name] = entry

    def drop(self, entry: Entry) -> None:
        """Let an entry have no workspace, whose log was closed. Its lock is held."""
        entry.workspace = entry.outline = None
        self._weigh(entry, None)

    # Use

    def use(self, name: str) -> Use:
        """Return a context that keeps the workspace loaded; see pin."""
        return Use(self, name)

    def pin(self, name: str) -> tuple[Entry, Workspace]:
        """Load a workspace if need be, and keep it loaded until unpin. Raises NotFound, DataLoss, and what the machine
        refuses.
        """
        entry = self.require(name)
        entry.pins.append(None)
        try:
            workspace = entry.workspace or self.load(entry)
        except BaseException:
            entry.pins.pop()
            raise
        entry.last_use = next(self._clock)
        return entry, workspace

    def unpin(self, entry: Entry) -> None:
        """End a use."""
        workspace = entry.workspace
        if workspace is not None and workspace.knowledge is not entry.weighed:  # it has learned something
            self._weigh(entry, workspace)
        entry.pins.pop()
        self.trim()

    @contextmanager
    def hold(self, entry: Entry) -> Iterator[None]:
        """Let nobody else load, unload or replace a workspace while the block runs."""
        with locked(entry.lock):
            entry.pins.append(None)
            try:
                yield
            finally:
                self.unpin(entry)

    def load(self, entry: Entry) -> Workspace:
        """Return an entry's workspace, from the disk if need be. Raises as pin does."""
        with locked(entry.lock):
            if entry.is_deleted:
                raise NotFound("workspace", entry.name, "it was deleted meanwhile")
            entry.require_readable()
            if entry.workspace is None:
                self.put(entry, self._read(entry))
            workspace = entry.workspace
            assert workspace is not None
        self.trim()
        return workspace

    def load_if_readable(self, entry: Entry) -> Workspace | None:
        """Return an entry's workspace; None if its file cannot be read. Raises as pin does, except DataLoss."""
        try:
            return self.load(entry)
        except DataLoss:
            return None

    def _read(self, entry: Entry) -> Workspace:
        try:
            return self._load_from_disk(entry.name)
        except DataLoss as error:
            _log.error("workspace %r cannot be read: %s", entry.name, error.message)
            entry.damage = DataLoss(error.message, error.reason)
            raise

    def put(self, entry: Entry, workspace: Workspace) -> None:
        """Let an entry have a workspace that was just opened. The entry's lock is held, or nobody knows it yet."""
        entry.damage = entry.outline = None
        entry.last_use = next(self._clock)
        self._weigh(entry, workspace)
        entry.workspace = workspace

    def _weigh(self, entry: Entry, workspace: Workspace | None) -> None:
        """Count what a workspace takes; None: it is no longer loaded."""
        knowledge = workspace.knowledge if workspace else None
        size = workspace.memory_bytes if workspace else 0
        with self._weighing:
            if entry.is_deleted:
                size = 0
            self._total += size - entry.size
            entry.size, entry.weighed = size, knowledge

    # Unloading

    def trim(self) -> None:
        """Unload workspaces until the rest is within the budget, or in use."""
        if self._total <= self._budget:
            return
        with locked(self._trimming):
            loaded = [entry for entry in list(self._entries.values()) if entry.workspace is not None]
            for entry in sorted(loaded, key=lambda entry: entry.last_use)[:-1]:  # the newest one may be needed at once
                if self._total <= self._budget:
                    break
                self._unload(entry)

    def _unload(self, entry: Entry) -> None:
        """Unload a workspace unless it is in use."""
        if entry.pins or self._is_needed(entry.name) or not entry.lock.acquire(blocking=False):
            return
        try:
            workspace, entry.workspace = entry.workspace, None
            if workspace is None:
                return
            if entry.pins:
                entry.workspace = workspace
                return
            self._on_unload(entry, workspace)
            with without_baton():  # its file is synced
                workspace.close()
            self._weigh(entry, None)
        finally:
            entry.lock.release()


class Use:
    """Keeps a workspace loaded during a with block, which gets it."""

    __slots__ = ("_entry", "_name", "_registry")

    def __init__(self, registry: Registry, name: str) -> None:
        self._registry, self._name = registry, name

    def __enter__(self) -> Workspace:
        self._entry, workspace = self._registry.pin(self._name)
        return workspace

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._registry.unpin(self._entry)
