"""Which model each workspace answers with when a call names none.

Predict asks for it in every call. So it is a mapping that is replaced as a whole and never changed: no lock and no
disk on its way.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Protocol

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.model_names import FEW_SHOT, ONLINE

from .online_status import Learning
from .presets import ONLINE_PRESETS

_log = logging.getLogger(__name__)


Choice = str | Learning
"""A model's id, or how the workspace's own network learns."""


class ChoiceStore(Protocol):
    """The choices on disk."""

    def choices(self) -> dict[str, Choice]:
        """By workspace, as kept last."""

    def keep_choices(self, choices: Mapping[str, Choice]) -> None:
        """Raises Exhausted."""


class Choices:
    """Of all workspaces that do not answer with their own heads. Reading is safe from any thread, and so is each
    change.
    """

    def __init__(self, store: ChoiceStore, known: Collection[str]) -> None:
        """known: ids of the models that there are."""
        self._store = store
        self._lock = threading.Lock()
        self._kept: Mapping[str, Choice] = MappingProxyType(_of_known(store.choices(), known))

    def of(self, workspace: str) -> Choice | None:
        """None: its own head."""
        return self._kept.get(workspace)

    def name_of(self, workspace: str) -> str:
        """A model's id, "few-shot" or "online"."""
        choice = self._kept.get(workspace, FEW_SHOT)
        return ONLINE if isinstance(choice, Learning) else choice

    def learning(self) -> dict[str, Learning]:
        """The workspaces with networks of their own."""
        return {name: choice for name, choice in self._kept.items() if isinstance(choice, Learning)}

    def answering(self, model_id: str) -> tuple[str, ...]:
        """The workspaces that answer with a model, sorted."""
        return tuple(sorted(name for name, choice in self._kept.items() if choice == model_id))

    def learning_from(self, model_id: str) -> tuple[str, ...]:
        """The workspaces whose networks started from a model, sorted."""
        return tuple(sorted(name for name, choice in self.learning().items() if choice.start == model_id))

    def needing(self, model_id: str) -> tuple[str, ...]:
        """The workspaces that answer with a model, or whose networks started from it, sorted."""
        return tuple(sorted(name for name, choice in self._kept.items() if _needed(choice) == model_id))

    def keep(self, workspace: str, choice: Choice | None) -> None:
        """From now on, and on disk when this returns; None: its own head. Raises Exhausted; nothing has changed
        then.
        """
        with self._lock:
            kept = {name: other for name, other in self._kept.items() if name != workspace}
            if choice is not None:
                kept[workspace] = choice
            if kept != self._kept:
                self._store.keep_choices(kept)
                self._kept = MappingProxyType(kept)

    def forget(self, workspace: str) -> None:
        """A workspace is gone: one of the same name starts with its own head. Never fails; what cannot be written now
        is put right at the next start.
        """
        with self._lock:
            if workspace not in self._kept:
                return
            kept = {name: choice for name, choice in self._kept.items() if name != workspace}
            self._kept = MappingProxyType(kept)
            try:
                self._store.keep_choices(kept)
            except HaleganadaError as error:
                _log.warning("the model of deleted workspace %r is not yet forgotten: %s", workspace, error.message)

    def keep_to(self, workspaces: Collection[str]) -> None:
        """Forget the choices of all workspaces but these."""
        for workspace in set(self._kept).difference(workspaces):
            _log.warning("workspace %r is gone; its choice of a model is forgotten", workspace)
            self.forget(workspace)


def _needed(choice: Choice) -> str:
    return choice.start if isinstance(choice, Learning) else choice


def _of_known(choices: Mapping[str, Choice], known: Collection[str]) -> dict[str, Choice]:
    """The choices of presets and models that are there."""
    usable = {*known, *ONLINE_PRESETS}
    for workspace, choice in choices.items():
        if _needed(choice) not in usable:
            _log.warning("model %s is gone; workspace %r answers with its own head again", _needed(choice), workspace)
    return {workspace: choice for workspace, choice in choices.items() if _needed(choice) in usable}
