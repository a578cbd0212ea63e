"""Follows what other servers do to the workspaces of a directory that they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from haleganada_server.core.errors import DataLoss, NotFound, Unavailable

from ..ports import WorkspaceDirectory
from .entry import Entry
from .registry import Registry


class Follower:
    """Keeps a registry in step with its directory. Safe from any thread."""

    def __init__(self, registry: Registry, directory: WorkspaceDirectory, on_deleted: Callable[[str], None]) -> None:
        """on_deleted: is told the name of each workspace that another server has deleted."""
        self._registry, self._directory, self._on_deleted = registry, directory, on_deleted

    def start(self) -> None:
        """Follow from now on, until the directory is closed."""
        self._directory.follow(self.follow, self._loaded_revisions)

    def follow(self, name: str) -> None:
        """Learn what another server has done to a workspace. Raises Unavailable."""
        entry = self._registry.find(name)
        if entry is None:
            if self._directory.exists(name):
                self._registry.add_names([name])
            return
        entry.outline = entry.damage = None  # which it may be rid of
        workspace = entry.workspace
        try:
            if workspace is not None:
                workspace.state.catch_up()
            elif not self._directory.exists(name):
                self._remove(entry)
        except NotFound:
            self._remove(entry)
        except DataLoss:
            with entry.lock:
                if entry.workspace is workspace:
                    self._registry.drop(entry)  # the next use says what is wrong

    def learn_names(self) -> None:
        """Learn which workspaces there are; nothing if the directory cannot tell now."""
        try:
            names = self._directory.names()
        except Unavailable:
            return
        known = set(self._registry.names())
        self._registry.add_names(name for name in names if name not in known)
        for gone in known.difference(names):
            self.follow(gone)

    def _remove(self, entry: Entry) -> None:
        with self._registry.hold(entry):
            if entry.is_deleted or self._directory.exists(entry.name):
                return
            workspace, entry.workspace = entry.workspace, None
            self._registry.remove(entry)
        if workspace is not None:
            workspace.close()
        self._on_deleted(entry.name)

    def _loaded_revisions(self) -> Mapping[str, int]:
        return {workspace.log.name: workspace.knowledge.revision for workspace in self._registry.list_loaded()}
