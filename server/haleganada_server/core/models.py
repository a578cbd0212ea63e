"""The models that were trained on data sets: registered, found, deleted, and chosen by workspaces.

Predict asks for a model in every call, mostly for none. So what it reads, the models and the workspaces' choices, are
mappings that are replaced as a whole and never changed: no lock and no disk on its way.
"""

from __future__ import annotations

import logging
import secrets
import threading
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from .classifying import Classifier, Recogniser
from .errors import DataLoss, HaleganadaError, InvalidInput, NotFound, Precondition
from .loaded_models import LoadedModels
from .model_card import ModelCard
from .model_files import ONNX, ONNX_INT8

FEW_SHOT = "few-shot"
"""Stands for a workspace's own head wherever a model is named."""

_log = logging.getLogger(__name__)
_NAMED_IN_ERRORS = 5


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model on disk. folder: holds the files that core/model_files names. built_in: it came with the package, lies
    there, and stays.
    """

    model_id: str
    card: ModelCard
    folder: Path
    bytes_on_disk: int
    built_in: bool = False


@dataclass(frozen=True, slots=True)
class ModelFile:
    """An exported model. report: how it was checked when it was made, as JSON in one line."""

    path: Path
    file_name: str
    bytes: int
    report: str


class ModelStore(Protocol):
    """Models on disk: below the data directory, and those that came with the package. Safe from any thread, except
    that choices are kept one after another.
    """

    def all(self) -> list[StoredModel]:
        """Those whose folders are complete; for each of the others there is a line in the log."""

    def add(self, folder: Path, model_id: str) -> StoredModel:
        """Move a finished folder into place, whole or not at all. Raises Precondition or DataLoss for one that is
        not a model's, Exhausted.
        """

    def remove(self, model: StoredModel) -> None:
        """Whole or not at all. Raises Exhausted."""

    def file(self, model: StoredModel, name: str) -> ModelFile:
        """One of its files, checked against the card. Raises DataLoss."""

    def choices(self) -> dict[str, str]:
        """workspace -> model_id, as kept last."""

    def keep_choices(self, choices: Mapping[str, str]) -> None:
        """Raises Exhausted."""


class Models:
    """All models of a server, and which of them each workspace answers with. Safe from any thread."""

    def __init__(self, store: ModelStore, load: Callable[[Path, ModelCard], Classifier]) -> None:
        """load: a classifier from a model's folder; raises DataLoss for a damaged one."""
        self._store = store
        self._load = load
        self._loaded = LoadedModels()
        self._lock = threading.Lock()
        self._known: Mapping[str, StoredModel] = {model.model_id: model for model in store.all()}
        self._choices: Mapping[str, str] = MappingProxyType(_of_known(store.choices(), self._known))

    # Looking

    def all(self) -> list[StoredModel]:
        """The newest first; what came with the package behind them."""
        return sorted(self._known.values(), key=lambda m: (m.built_in, -m.card.created_us, m.model_id))

    def find(self, reference: str, field: str = "model_id") -> StoredModel | None:
        """The model with this id, or with this name if it is unique; None for "few-shot".

        field: of the request, for errors. Raises NotFound, InvalidInput for a name that several models have.
        """
        if reference == FEW_SHOT:
            return None
        if reference in self._known:
            return self._known[reference]
        name = unicodedata.normalize("NFC", reference)  # as names are stored
        named = [model.model_id for model in self.all() if model.card.name == name]
        if not named:
            raise NotFound("model", reference[:64], f"list the models, or ask “{FEW_SHOT}”, which is always there")
        if len(named) > 1:
            ids = ", ".join(named[:_NAMED_IN_ERRORS]) + (", …" if len(named) > _NAMED_IN_ERRORS else "")
            raise InvalidInput(field, f"{len(named)} models are called “{reference}”; say which by its id: {ids}")
        return self._known[named[0]]

    def get(self, reference: str, field: str = "model_id") -> StoredModel:
        """As find, but raises Precondition for "few-shot"."""
        model = self.find(reference, field)
        if model is None:
            raise Precondition(
                f"“{FEW_SHOT}” is each workspace's own and no file of this server; name a model that was trained on a "
                "data set, or export the workspace",
                "FEW_SHOT_MODEL",
            )
        return model

    def file(self, reference: str, *, int8: bool) -> ModelFile:
        """A model for onnxruntime alone. Raises as get does, and DataLoss for a damaged one."""
        model = self.get(reference)
        name = ONNX_INT8 if int8 else ONNX
        if name not in model.card.sha256:
            raise Precondition(
                f"the model “{model.card.name}” has no INT8 form; export it as FLOAT32, or train it again", "NO_INT8"
            )
        return self._store.file(model, name)

    # Recognising

    def chosen(self, workspace: str, reference: str = "") -> Recogniser | None:
        """What answers for a workspace: its choice for "", else the model that is named; None: its own head.

        Raises NotFound, InvalidInput, DataLoss for a damaged model.
        """
        if reference == FEW_SHOT:
            return None
        if reference:
            return self.recogniser(self.get(reference, "model"))
        model = self._known.get(self._choices.get(workspace, FEW_SHOT))
        if model is None:
            return None
        try:
            return self.recogniser(model)
        except DataLoss:
            if model.model_id in self._known:
                raise
            return None  # another choice was made, and the model deleted, since it was looked up

    def recogniser(self, model: StoredModel) -> Recogniser:
        """The loaded model. Raises DataLoss for a damaged one."""
        return self._loaded.get(model.model_id, lambda: Recogniser(self._load(model.folder, model.card)))

    # Changing

    def register(self, folder: Path) -> str:
        """Move the folder of a finished model into place; its new id. Raises Precondition or DataLoss for a folder
        that is not a model's, Exhausted; it is where it was then.
        """
        model = self._store.add(folder, secrets.token_hex(6))
        with self._lock:
            self._known = {**self._known, model.model_id: model}
        return model.model_id

    def delete(self, model_id: str) -> None:
        """Raises NotFound, Precondition while a workspace answers with it or if it came with the package, Exhausted."""
        with self._lock:
            model = self.get(model_id)
            if model.built_in:
                raise Precondition(
                    f"the model “{model.card.name}” came with the server and stays; others can be deleted",
                    "BUILT_IN_MODEL",
                )
            if model.model_id != model_id:
                raise NotFound("model", model_id[:64], f"it is a name; models are deleted by id, here {model.model_id}")
            if users := self.active_in(model_id):
                raise _in_use(model, users)
            self._store.remove(model)
            self._known = {known: kept for known, kept in self._known.items() if known != model_id}
            self._loaded.drop(model_id)

    # Workspaces' choices

    def active(self, workspace: str) -> str:
        """The id of the model that a workspace answers with; "few-shot" for its own head."""
        return self._choices.get(workspace, FEW_SHOT)

    def active_in(self, model_id: str) -> tuple[str, ...]:
        """The workspaces that answer with a model, sorted."""
        return tuple(sorted(name for name, chosen in self._choices.items() if chosen == model_id))

    def activate(self, workspace: str, reference: str) -> StoredModel | None:
        """Let a workspace answer with a model, None for “few-shot”; on disk when this returns. Raises as find does,
        DataLoss for a damaged model, Exhausted.
        """
        model = self.find(reference)
        if model is not None:
            self.recogniser(model)  # a choice that cannot answer is refused
        with self._lock:
            others = {name: chosen for name, chosen in self._choices.items() if name != workspace}
            if model is not None:
                self.get(model.model_id)  # it may have been deleted meanwhile
            choices = others if model is None else {**others, workspace: model.model_id}
            if choices != self._choices:
                self._store.keep_choices(choices)
                self._choices = MappingProxyType(choices)
        return model

    def forget(self, workspace: str) -> None:
        """A workspace is gone: one of the same name starts with its own head. Never fails; what cannot be written now
        is put right at the next start.
        """
        with self._lock:
            if workspace not in self._choices:
                return
            kept = {name: chosen for name, chosen in self._choices.items() if name != workspace}
            self._choices = MappingProxyType(kept)
            try:
                self._store.keep_choices(kept)
            except HaleganadaError as error:
                _log.warning("the model of deleted workspace %r is not yet forgotten: %s", workspace, error.message)

    def keep_to(self, workspaces: Collection[str]) -> None:
        """Forget the choices of all workspaces but these."""
        for workspace in set(self._choices).difference(workspaces):
            _log.warning("workspace %r is gone; its choice of a model is forgotten", workspace)
            self.forget(workspace)


def _of_known(choices: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """The choices of models that are there."""
    for workspace, model_id in choices.items():
        if model_id not in known:
            _log.warning("model %s is gone; workspace %r answers with its own head again", model_id, workspace)
    return {workspace: model_id for workspace, model_id in choices.items() if model_id in known}


def _in_use(model: StoredModel, users: tuple[str, ...]) -> Precondition:
    named = ", ".join(f"“{user}”" for user in users[:_NAMED_IN_ERRORS]) + (
        ", …" if len(users) > _NAMED_IN_ERRORS else ""
    )
    return Precondition(
        f"the model “{model.card.name}” answers for {named}; activate “{FEW_SHOT}” or another model there first",
        "MODEL_IN_USE",
    )
