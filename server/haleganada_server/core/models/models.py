"""The models that were trained on data sets: registered, found, deleted, and chosen by workspaces.

Predict asks for a model in every call, mostly for none. So what it reads is a mapping that is replaced
as a whole and never changed: no lock and no disk on its way.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from haleganada_server.core.errors import DataLoss, InvalidInput, NotFound, Precondition
from haleganada_server.core.model_names import FEW_SHOT

from .active_models import Choices, ChoiceStore
from .card import ModelCard
from .classification import Classifier, Recogniser
from .files import ONNX, ONNX_INT8, WEIGHTS
from .model_cache import LoadedModels
from .online_config import OnlineConfig
from .online_status import Learning
from .presets import ONLINE_PRESETS, PRESET_FACTS

_NAMED_IN_ERRORS = 5


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model on disk. folder: holds the files that core/models/files names. built_in: it came with the package, lies
    there, and stays.
    """

    model_id: str
    card: ModelCard
    folder: Path
    bytes_on_disk: int
    built_in: bool = False

    @property
    def learns_along(self) -> bool:
        """Whether a network that learns along can start as it."""
        return self.card.preset in ONLINE_PRESETS and WEIGHTS in self.card.sha256


@dataclass(frozen=True, slots=True)
class ModelFile:
    """An exported model. report: how it was checked when it was made, the content of export.json; {} if that is
    not known."""

    path: Path
    file_name: str
    bytes: int
    report: Mapping[str, Any]


class ModelStore(ChoiceStore, Protocol):
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

    def visible_damage(self, model: StoredModel) -> DataLoss | None:
        """What is wrong with its files, as far as it is seen without reading them."""


class Models:
    """All models of a server, and which of them each workspace answers with (`choices`). Safe from any thread."""

    def __init__(self, store: ModelStore, load: Callable[[Path, ModelCard], Classifier]) -> None:
        """load: a classifier from a model's folder; raises DataLoss for a damaged one."""
        self._store = store
        self._load = load
        self._loaded = LoadedModels()
        self._lock = threading.Lock()
        self._found_damaged: dict[tuple[str, str], DataLoss] = {}  # by id and what it was last needed for
        self._known: Mapping[str, StoredModel] = {model.model_id: model for model in store.all()}
        self.choices = Choices(store, self._known)

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
            raise NotFound("model", reference[:64], _instead_of(reference))
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
        with self._noting_damage(model, name):
            return self._store.file(model, name)

    def damage(self, model: StoredModel) -> str:
        """Why it cannot be used, and what to do; "" if nothing is known against it. Reads no file."""
        noted = (error for (model_id, _), error in list(self._found_damaged.items()) if model_id == model.model_id)
        found = self._store.visible_damage(model) or next(noted, None)
        return found.message if found is not None else ""

    # Recognising

    def chosen(self, workspace: str, reference: str = "") -> Recogniser | None:
        """What answers for a workspace: its choice for "", else the model that is named; None: its own head.

        Raises NotFound, InvalidInput, DataLoss for a damaged model.
        """
        if reference == FEW_SHOT:
            return None
        if reference:
            return self.recogniser(self.get(reference, "model"))
        model = self._known.get(self.choices.name_of(workspace))
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

        def load() -> Recogniser:
            with self._noting_damage(model, "recognising"):
                return Recogniser(self._load(model.folder, model.card), model.model_id)

        return self._loaded.get(model.model_id, load)

    @contextmanager
    def _noting_damage(self, model: StoredModel, purpose: str) -> Iterator[None]:
        """Remembers a DataLoss of what is done inside, until the same succeeds."""
        try:
            yield
        except DataLoss as error:
            self._found_damaged[model.model_id, purpose] = error
            raise
        self._found_damaged.pop((model.model_id, purpose), None)

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
            if users := self.choices.needing(model_id):
                raise _in_use(model, users)
            self._store.remove(model)
            self._known = {known: kept for known, kept in self._known.items() if known != model_id}
            self._loaded.drop(model_id)
            self._found_damaged = {key: error for key, error in self._found_damaged.items() if key[0] != model_id}

    # Workspaces' choices

    def activate(self, workspace: str, reference: str) -> StoredModel | None:
        """Let a workspace answer with a model, None for “few-shot”; on disk when this returns. Raises as find does,
        DataLoss for a damaged model, Exhausted.
        """
        model = self.find(reference)
        if model is not None:
            self.recogniser(model)  # a choice that cannot answer is refused
        with self._lock:
            if model is not None:
                self.get(model.model_id)  # it may have been deleted meanwhile
            self.choices.keep(workspace, model.model_id if model else None)
        return model

    def learn(self, workspace: str, learning: Learning) -> None:
        """Let a workspace answer with a network of its own. Raises NotFound if the model to start from is gone,
        Exhausted.
        """
        with self._lock:
            self.online_start(learning.start)
            self.choices.keep(workspace, learning)

    def usual_online(self, reference: str) -> OnlineConfig:
        """How a network that starts as a preset or model learns unless told otherwise. Raises as online_start does."""
        is_preset = self.online_start(reference) is None
        return (PRESET_FACTS[reference].online if is_preset else None) or OnlineConfig()

    def online_start(self, reference: str) -> StoredModel | None:
        """What a network can start from: None for a preset that learns online, else a model of such a preset. Raises
        as get does, Precondition for another model.
        """
        if reference in ONLINE_PRESETS:
            return None
        if reference in PRESET_FACTS or reference == FEW_SHOT:
            raise _not_online(reference)
        model = self.get(reference)
        if not model.learns_along:
            raise _not_online(model.card.name)
        return model


def _instead_of(reference: str) -> str:
    """What to do about a name that is no model's."""
    if reference in ONLINE_PRESETS:
        return (
            f"that is a preset: train a model from it, or let it learn along, as `models use {reference} --online` does"
        )
    if reference in PRESET_FACTS:
        return "that is a preset: train a model from it"
    return f"list the models, or ask “{FEW_SHOT}”, which is always there"


def _not_online(name: str) -> Precondition:
    return Precondition(
        f"“{name}” cannot learn online; start from {' or '.join(ONLINE_PRESETS)}, or from a model of such a preset",
        "PRESET_NOT_ONLINE",
    )


def _in_use(model: StoredModel, users: tuple[str, ...]) -> Precondition:
    named = ", ".join(f"“{user}”" for user in users[:_NAMED_IN_ERRORS]) + (
        ", …" if len(users) > _NAMED_IN_ERRORS else ""
    )
    return Precondition(
        f"the model “{model.card.name}” answers for {named}; activate “{FEW_SHOT}” or another model there first",
        "MODEL_IN_USE",
    )
