"""The models trained on data sets: registered, found, activated for workspaces, and deleted.

Every Predict looks up its model, so the mapping is replaced as a whole and never changed: a lookup needs no lock and no
disk.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, InvalidInput, NotFound, Precondition, Unavailable
from haleganada_server.core.model_names import FEW_SHOT, LINE_ENGINE, ONLINE, UNREADABLE

from .active_models import ActiveModels, ActiveModelStore
from .card import ModelCard
from .classification import Classifier, Predictor
from .files import ONNX, ONNX_INT8, WEIGHTS
from .model_cache import ModelCache
from .online_config import OnlineConfig
from .online_status import OnlineLearning
from .presets import ONLINE_PRESETS, PRESET_FACTS

_NAMED_IN_ERRORS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """A model on disk. folder: holds the files that core/models/files names. built_in: it belongs to the package and
    cannot be deleted. card_damage: why its card cannot be used, and what to do; then `card` has its id as name, and
    nothing else.
    """

    model_id: str
    card: ModelCard
    folder: Path
    bytes_on_disk: int
    built_in: bool = False
    card_damage: str = ""

    @property
    def supports_online_learning(self) -> bool:
        """True if a network that learns online can start from this model."""
        return self.card.preset in ONLINE_PRESETS and WEIGHTS in self.card.sha256

    def require_card(self) -> None:
        """Raise DataLoss if its card cannot be used."""
        if self.card_damage:
            raise DataLoss(self.card_damage, Reason.MODEL_DAMAGED)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """An exported model. report: the checks made at its export, as in export.json; {} if unknown."""

    path: Path
    file_name: str
    bytes: int
    report: Mapping[str, Any]


class ModelStore(ActiveModelStore, Protocol):
    """Models on disk: in the data directory, and those that belong to the package. Safe from any thread, except that
    save_active is called by one thread at a time.
    """

    @property
    def is_shared(self) -> bool:
        """Whether several servers have the same models."""

    def all(self) -> list[StoredModel]:
        """Return all models, also damaged ones; log those whose cards cannot be used, and what is no model."""

    def news(self) -> tuple[list[StoredModel], list[str]]:
        """Return the models that other servers have added since the last call, and the ids of those that were deleted;
        nothing where one server alone has the models. Raises Unavailable.
        """

    def add(self, folder: Path, model_id: str) -> StoredModel:
        """Move a finished folder into place, atomically; if there is a model with this id, remove the folder instead,
        and return that model. Raises DataLoss if it is not a model's folder, Exhausted.
        """

    def remove(self, model: StoredModel) -> None:
        """Remove a model, atomically. Raises Exhausted; Precondition if it answers for a workspace, as another server
        has just said.
        """

    def get_file(self, model: StoredModel, name: str) -> ModelFile:
        """Return one of a model's files, checked against the card. Raises DataLoss."""

    def find_visible_damage(self, model: StoredModel) -> DataLoss | None:
        """Return what is wrong with a model's files, as far as that shows without reading them."""


class Models:
    """All models of a server, and which one each workspace uses (`active_models`). Safe from any thread."""

    def __init__(self, store: ModelStore, load: Callable[[Path, ModelCard], Classifier]) -> None:
        """load: loads a classifier from a model's folder; raises DataLoss for a damaged one."""
        self._store = store
        self._load = load
        self._cache = ModelCache()
        self._lock = threading.RLock()  # to find a model may mean to follow others
        self._known_damage: dict[tuple[str, str], DataLoss] = {}  # by model id and purpose
        self._models: Mapping[str, StoredModel] = {model.model_id: model for model in store.all()}
        self.active_models = ActiveModels(store)

    # Lookup

    @property
    def are_shared(self) -> bool:
        """Whether several servers have the same models."""
        return self._store.is_shared

    def all(self) -> list[StoredModel]:
        """Return all models, the newest first, then the built-in ones."""
        with suppress(Unavailable):  # then what is known
            self.follow()
        return self._known()

    def follow(self) -> None:
        """Learn which models other servers have added and deleted, and which answer. Raises Unavailable."""
        added, removed = self._store.news()
        self.active_models.follow()
        if added or removed:
            with self._lock:
                self._models = {**self._models, **{model.model_id: model for model in added}}
                for model_id in removed:
                    self._forget(model_id)

    def _known(self) -> list[StoredModel]:
        return sorted(self._models.values(), key=lambda m: (m.built_in, -m.card.created_us, m.model_id))

    def find(self, reference: str, field: str = "model_id") -> StoredModel | None:
        """Return the model with this id, or with this name if it is unique; None for "few-shot".

        field: of the request, for error messages. Raises NotFound, InvalidInput for a name that several models have.
        """
        if reference == FEW_SHOT:
            return None
        try:
            return self._find_known(reference, field)
        except NotFound:
            with suppress(Unavailable):
                self.follow()
            return self._find_known(reference, field)

    def _find_known(self, reference: str, field: str) -> StoredModel:
        if reference in self._models:
            return self._models[reference]
        name = unicodedata.normalize("NFC", reference)  # as names are stored
        named = [model.model_id for model in self._known() if model.card.name == name]
        if not named:
            raise NotFound("model", reference[:64], _suggest(reference))
        if len(named) > 1:
            ids = ", ".join(named[:_NAMED_IN_ERRORS]) + (", …" if len(named) > _NAMED_IN_ERRORS else "")
            raise InvalidInput(field, f"{len(named)} models are called “{reference}”; give one of their ids: {ids}")
        return self._models[named[0]]

    def get(self, reference: str, field: str = "model_id") -> StoredModel:
        """Return a model as find does, but raise Precondition for "few-shot"."""
        model = self.find(reference, field)
        if model is None:
            raise Precondition(
                f"“{FEW_SHOT}” belongs to each workspace and has no files; name a model trained on a data set, or "
                "export the workspace",
                Reason.FEW_SHOT_MODEL,
            )
        return model

    def export(self, reference: str, *, int8: bool) -> ModelFile:
        """Return a model's ONNX file, which runs with onnxruntime alone. Raises as get does, DataLoss if damaged."""
        model = self.get(reference)
        model.require_card()
        name = ONNX_INT8 if int8 else ONNX
        if name not in model.card.sha256:
            raise Precondition(
                f"the model “{model.card.name}” has no INT8 version; export it as FLOAT32, or train it again",
                Reason.NO_INT8,
            )
        with self._record_damage(model, name):
            return self._store.get_file(model, name)

    def describe_damage(self, model: StoredModel) -> str:
        """Return why a model cannot be used and what to do; "" if no damage is known. Reads no file."""
        if model.card_damage:
            return model.card_damage
        known = (error for (model_id, _), error in list(self._known_damage.items()) if model_id == model.model_id)
        damage = self._store.find_visible_damage(model) or next(known, None)
        return damage.message if damage is not None else ""

    def list_line_readers(self) -> list[StoredModel]:
        """Return the models that read lines, the newest first."""
        return [model for model in self.all() if model.card.line is not None]

    def get_line_reader(self, reference: str) -> StoredModel:
        """Return a model that reads lines. Raises as get does, DataLoss for a damaged card, Precondition for a model of
        single characters.
        """
        model = self.get(reference, "options.engine")
        model.require_card()
        if model.card.line is None:
            raise Precondition(
                f"the model “{model.card.name}” recognizes single characters and reads no lines; train one on a "
                "data set of lines, or name another engine",
                Reason.MODEL_DOES_NOT_FIT,
            )
        return model

    # Prediction

    def predictor_for(self, workspace: str, reference: str = "") -> Predictor | None:
        """Return what answers for a workspace: the named model, or for "" its active model; None: its own head.

        Raises NotFound, InvalidInput, DataLoss for a damaged model, or one that is gone.
        """
        if reference == FEW_SHOT:
            return None
        if reference:
            return self.predictor(self.get(reference, "model"))
        while (model_id := self.active_models.model_id_of(workspace)) not in (FEW_SHOT, ONLINE):
            try:
                return self.predictor(self._get_active(workspace, model_id))
            except DataLoss:
                if self.active_models.model_id_of(workspace) == model_id:
                    raise  # otherwise another model was activated since the lookup, and this one deleted
        return None

    def _get_active(self, workspace: str, model_id: str) -> StoredModel:
        """Return a workspace's active model. Raises DataLoss if it is gone, or nobody knows which one it is."""
        if model_id == UNREADABLE:
            raise DataLoss(
                f"nobody knows which model answers in “{workspace}”, because models/active.json is damaged; activate a "
                f"model there, or “{FEW_SHOT}”",
                Reason.MODEL_DAMAGED,
            )
        model = self._models.get(model_id)
        if model is None:
            raise DataLoss(
                f"the model {model_id}, which answers in “{workspace}”, is gone from the server's data directory; put "
                f"its folder back and restart the server, or activate another model there, or “{FEW_SHOT}”",
                Reason.MODEL_DAMAGED,
            )
        return model

    def predictor(self, model: StoredModel) -> Predictor:
        """Return a model's predictor, loaded unless it is cached. Raises DataLoss for a damaged model."""

        model.require_card()
        if model.card.line is not None:
            raise Precondition(
                f"the model “{model.card.name}” reads lines, not single characters; read pages with it, as "
                f"`haleganada read PAGE --engine {LINE_ENGINE}{model.card.name}` does",
                Reason.MODEL_DOES_NOT_FIT,
            )

        def load() -> Predictor:
            with self._record_damage(model, "predict"):
                return Predictor(self._load(model.folder, model.card), model.model_id)

        return self._cache.get(model.model_id, load)

    @contextmanager
    def _record_damage(self, model: StoredModel, purpose: str) -> Iterator[None]:
        """Remember a DataLoss raised in the block until a block with the same purpose succeeds."""
        try:
            yield
        except DataLoss as error:
            self._known_damage[model.model_id, purpose] = error
            raise
        self._known_damage.pop((model.model_id, purpose), None)

    # Changes

    def register(self, folder: Path, model_id: str = "") -> str:
        """Move the folder of a finished model into place and return its id. model_id: "" = a new one. If there is such
        a model already, it stays and the folder is removed. Raises DataLoss for a folder that is not a model's,
        Exhausted; then the folder stays where it was.
        """
        model = self._store.add(folder, model_id or secrets.token_hex(6))
        with self._lock:
            self._models = {**self._models, model.model_id: model}
        return model.model_id

    def delete(self, model_id: str) -> None:
        """Delete a model. Raises NotFound, Precondition if it is built in or in use by a workspace, Exhausted."""
        with suppress(Unavailable):
            self.follow()
        with self._lock:
            model = self._require_known(model_id)
            if model.built_in:
                raise Precondition(
                    f"the model “{model.card.name}” came with the server and cannot be deleted",
                    Reason.BUILT_IN_MODEL,
                )
            if model.model_id != model_id:
                raise NotFound("model", model_id[:64], f"that is a name; delete a model by its id, {model.model_id}")
            if users := self.active_models.workspaces_needing(model_id):
                raise _make_in_use_error(model, users)
            self._store.remove(model)
            self._forget(model_id)

    def _require_known(self, reference: str) -> StoredModel:
        """Return a model as get does, without asking other servers."""
        if reference == FEW_SHOT:
            return self.get(reference)
        return self._find_known(reference, "model_id")

    def _forget(self, model_id: str) -> None:
        self._models = {known: kept for known, kept in self._models.items() if known != model_id}
        self._cache.drop(model_id)
        self._known_damage = {key: error for key, error in self._known_damage.items() if key[0] != model_id}

    # Active models of workspaces

    def activate(self, workspace: str, reference: str) -> StoredModel | None:
        """Let a workspace answer with a model and return it, None for “few-shot”; on disk when this returns. Raises as
        find does, DataLoss for a damaged model, Exhausted.
        """
        model = self.find(reference)
        if model is not None:
            self.predictor(model)  # refuse a model that cannot answer
        with self._lock:
            if model is not None:
                self._require_known(model.model_id)  # it may have been deleted in the meantime
            self.active_models.set(workspace, model.model_id if model else None)
        return model

    def activate_online(self, workspace: str, learning: OnlineLearning) -> None:
        """Let a workspace answer with a network of its own. Raises NotFound if the model to start from no longer
        exists, Exhausted.
        """
        with self._lock:
            self.find_online_start(learning.start)
            self.active_models.set(workspace, learning)

    def default_online_config(self, reference: str) -> OnlineConfig:
        """Return the default settings of online learning for a preset or model. Raises as find_online_start does."""
        is_preset = self.find_online_start(reference) is None
        return (PRESET_FACTS[reference].online if is_preset else None) or OnlineConfig()

    def find_online_start(self, reference: str) -> StoredModel | None:
        """Return the model that online learning starts from; None if `reference` is a preset that supports it.

        Raises as get does, Precondition for a preset or model that does not support it, DataLoss for a damaged card.
        """
        if reference in ONLINE_PRESETS:
            return None
        if reference in PRESET_FACTS or reference == FEW_SHOT:
            raise _make_not_online_error(reference)
        model = self.get(reference)
        model.require_card()
        if not model.supports_online_learning:
            raise _make_not_online_error(model.card.name)
        return model


def _suggest(reference: str) -> str:
    """Return what to do about a name that no model has."""
    if reference in ONLINE_PRESETS:
        return f"that is a preset: train a model from it, or let it learn online with `models use {reference} --online`"
    if reference in PRESET_FACTS:
        return "that is a preset: train a model from it"
    return f"list the models, or use “{FEW_SHOT}”, which always exists"


def _make_not_online_error(name: str) -> Precondition:
    return Precondition(
        f"“{name}” does not support online learning; start from {' or '.join(ONLINE_PRESETS)}, or from a model of such "
        "a preset",
        Reason.PRESET_NOT_ONLINE,
    )


def _make_in_use_error(model: StoredModel, users: tuple[str, ...]) -> Precondition:
    named = ", ".join(f"“{user}”" for user in users[:_NAMED_IN_ERRORS]) + (
        ", …" if len(users) > _NAMED_IN_ERRORS else ""
    )
    return Precondition(
        f"the model “{model.card.name}” answers for {named}; activate “{FEW_SHOT}” or another model there first",
        Reason.MODEL_IN_USE,
    )
