"""Which model answers for each workspace when a call names none.

Every Predict looks it up, so the mapping is replaced as a whole and never changed: a lookup needs no lock and no disk.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Protocol

from haleganada_server.core.errors import DataLoss, HaleganadaError
from haleganada_server.core.model_names import FEW_SHOT, ONLINE, UNREADABLE

from .online_status import OnlineLearning

_log = logging.getLogger(__name__)


ActiveModel = str | OnlineLearning
"""A model's id, or how the workspace's own network learns."""


class ActiveModelStore(Protocol):
    """The active models on disk."""

    def load_active(self) -> dict[str, ActiveModel]:
        """Return the active models by workspace, as last saved. Raises DataLoss if they cannot be read."""

    def save_active(self, active: Mapping[str, ActiveModel]) -> None:
        """Raises Exhausted; where servers share models, NotFound if one was deleted, and Unavailable."""

    def active_news(self) -> dict[str, ActiveModel] | None:
        """Return the active models by workspace, if other servers have changed them since they were loaded or saved;
        None if not. Raises Unavailable.
        """


class ActiveModels:
    """The active model of each workspace that does not answer with its own head. Safe from any thread.

    A model stays the active one when it is damaged or gone: no workspace goes over to another one by itself.
    """

    def __init__(self, store: ActiveModelStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._active: Mapping[str, ActiveModel] = MappingProxyType({})
        try:
            self._active, self._is_readable = MappingProxyType(store.load_active()), True
        except DataLoss as error:
            _log.error("%s", error.message)
            self._is_readable = False

    def model_id_of(self, workspace: str) -> str:
        """Return a model's id, "few-shot", "online", or "unreadable"."""
        active = self._active.get(workspace, FEW_SHOT)
        return ONLINE if isinstance(active, OnlineLearning) else active

    def online_learning(self) -> dict[str, OnlineLearning]:
        """Return how each workspace learns that has a network of its own."""
        return {name: active for name, active in self._active.items() if isinstance(active, OnlineLearning)}

    def workspaces_using(self, model_id: str) -> tuple[str, ...]:
        """Return the workspaces that answer with a model, sorted."""
        return tuple(sorted(name for name, active in self._active.items() if active == model_id))

    def workspaces_learning_from(self, model_id: str) -> tuple[str, ...]:
        """Return the workspaces whose networks started from a model, sorted."""
        return tuple(sorted(name for name, active in self.online_learning().items() if active.start == model_id))

    def workspaces_needing(self, model_id: str) -> tuple[str, ...]:
        """Return the workspaces that answer with a model, or whose networks started from it, sorted."""
        return tuple(sorted(name for name, active in self._active.items() if _find_model_name(active) == model_id))

    def set(self, workspace: str, active: ActiveModel | None) -> None:
        """Let a workspace answer with a model, None = its own head; on disk when this returns. Raises Exhausted, and
        changes nothing then.
        """
        with self._lock:
            changed = {name: other for name, other in self._active.items() if name != workspace}
            if active is not None:
                changed[workspace] = active
            if changed != self._active:
                self._store.save_active(changed)
                self._active = MappingProxyType(changed)

    def follow(self) -> None:
        """Learn what other servers have changed. Raises Unavailable."""
        with self._lock:
            if (found := self._store.active_news()) is not None:
                self._active = MappingProxyType(found)

    def forget(self, workspace: str) -> None:
        """Forget a deleted workspace, so that a new one of its name starts with its own head. Never fails: what cannot
        be saved now is corrected at the next start.
        """
        with self._lock:
            if workspace not in self._active:
                return
            changed = {name: active for name, active in self._active.items() if name != workspace}
            self._active = MappingProxyType(changed)
            try:
                self._store.save_active(changed)
            except HaleganadaError as error:
                _log.warning("the active model of deleted workspace %r is still on disk: %s", workspace, error.message)

    def retain(self, workspaces: Collection[str]) -> None:
        """Forget all workspaces but these, which are all that there are. If the record was damaged, nobody knows the
        active model of any of them until it is chosen again.
        """
        if not self._is_readable:
            self._active = MappingProxyType(dict.fromkeys(workspaces, UNREADABLE))
        for workspace in set(self._active).difference(workspaces):
            _log.warning("workspace %r no longer exists; its active model is forgotten", workspace)
            self.forget(workspace)


def _find_model_name(active: ActiveModel) -> str:
    return active.start if isinstance(active, OnlineLearning) else active
