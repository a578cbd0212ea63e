"""Models that all servers of a database have: each keeps a copy, made as soon as it hears of a model."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, HaleganadaError, NotFound, Precondition, Unavailable
from haleganada_server.core.models.active_models import ActiveModel
from haleganada_server.core.models.files import ONNX, read_card, require_intact
from haleganada_server.core.models.models import StoredModel
from haleganada_server.store import files
from haleganada_server.store.models import ModelFolders, describe_unreadable
from haleganada_server.store.postgres.connections import Connection

from .catalog import Catalog, Entry

_ACTIVE = "SELECT workspace, model_id FROM active_models"
_ACTIVATE = (
    "INSERT INTO active_models (workspace, model_id) VALUES (%s, %s) "
    "ON CONFLICT (workspace) DO UPDATE SET model_id = excluded.model_id"
)
_DEACTIVATE = "DELETE FROM active_models WHERE workspace = %s"
_DELETED = "SELECT 1 FROM objects WHERE kind = 'models' AND object_id = %s AND deleted"
_USERS = "SELECT workspace FROM active_models WHERE model_id = %s LIMIT 1"
_RETRY_S = 30.0
_log = logging.getLogger(__name__)


class SharedModels(ModelFolders):
    """core.models.models.ModelStore over the catalog of models."""

    is_shared = True

    def __init__(
        self,
        root: Path,
        temporary_path: Callable[[], Path],
        built_in: Sequence[Path],
        catalog: Catalog,
        guard: Callable[[Connection, str], None] = lambda _connection, _model_id: None,
        retry_s: float = _RETRY_S,
    ) -> None:
        """root, temporary_path, built_in: as for ModelFolders. guard: raises if a model of this id must not be listed,
        see Catalog.publish. retry_s: after which a model is fetched again that was damaged in the object store. Makes
        the models in root those of all servers.
        """
        super().__init__(root, temporary_path, built_in)
        self._catalog = catalog
        self._guard = guard
        self._active: dict[str, ActiveModel] = {}  # as last loaded or saved
        self._following = threading.Lock()
        self._change = 0
        self._missing: dict[str, Entry] = {}  # listed, and not copied yet
        self._retry_s = retry_s
        self._retry_at: dict[str, float] = {}  # when to fetch those again that were damaged
        found = catalog.changed_after(0)
        known = {entry.object_id for entry in found}
        for model in super().all():
            if not (model.built_in or model.card_damage or model.model_id in known):
                catalog.publish(model.model_id, model.folder)

    def all(self) -> list[StoredModel]:
        added, _ = self.news()
        listed = {model.model_id: model for model in super().all()}
        return list({**listed, **{model.model_id: model for model in added}}.values())

    def news(self) -> tuple[list[StoredModel], list[str]]:
        with self._following:
            for entry in self._catalog.changed_after(self._change):
                self._missing[entry.object_id], self._change = entry, entry.change
            added, removed = [], []
            for entry in list(self._missing.values()):
                if entry.deleted:
                    self._remove_copy(entry.object_id)
                    removed.append(entry.object_id)
                elif time.monotonic() < self._retry_at.get(entry.object_id, 0.0):
                    continue
                elif (model := self._copy(entry)) is not None:
                    added.append(model)
                    if not model.folder.is_dir():  # it was damaged; whoever brings its files back should see that
                        self._retry_at[entry.object_id] = time.monotonic() + self._retry_s
                        continue
                else:
                    continue
                del self._missing[entry.object_id]
                self._retry_at.pop(entry.object_id, None)
            return added, removed

    def add(self, folder: Path, model_id: str) -> StoredModel:
        card = read_card(folder)
        require_intact(folder, card, {ONNX, *card.sha256})
        if self._catalog.publish(model_id, folder, guard=lambda connection: self._guard(connection, model_id)):
            return super().add(folder, model_id)
        entry = self._catalog.find(model_id)
        if entry is None:
            raise NotFound("model", model_id, "it was deleted")
        model = self._copy(entry)  # which another server has listed
        if model is None:
            raise Unavailable("the object store cannot be reached; repeat the call later", Reason.STORAGE_FAILED)
        files.remove_folder(folder, self._temporary_path())
        return model

    def remove(self, model: StoredModel) -> None:
        self._catalog.withdraw(model.model_id, partial(_require_unused, model.model_id))
        self._remove_copy(model.model_id)

    def load_active(self) -> dict[str, ActiveModel]:
        self._active = dict(self._catalog.fetch_rows(_ACTIVE))
        return dict(self._active)

    def active_news(self) -> dict[str, ActiveModel] | None:
        before = self._active
        found = self.load_active()
        return found if found != before else None

    def save_active(self, active: Mapping[str, ActiveModel]) -> None:
        changed = {name: active.get(name) for name, _ in self._active.items() ^ active.items()}
        with self._catalog.changing() as connection:
            for name, model_id in changed.items():
                if model_id is None:
                    connection.execute(_DEACTIVATE, (name,))
                elif connection.execute(_DELETED, (model_id,)).fetchone():
                    raise NotFound("model", str(model_id), "it was deleted")
                else:
                    connection.execute(_ACTIVATE, (name, model_id))
        self._active = dict(active)

    def _copy(self, entry: Entry) -> StoredModel | None:
        """Return this server's copy of a model; None if it cannot be made now, and is tried again."""
        target = self._root / entry.object_id
        scratch = self._temporary_path()
        try:
            if not target.is_dir():
                self._catalog.fetch(entry, scratch, target)
                files.sync_folder(self._root)
            return self.load(entry.object_id)
        except HaleganadaError as error:
            _log.error("model %s cannot be copied from the object store: %s", entry.object_id, error.message)
            return describe_unreadable(target, error.message) if isinstance(error, DataLoss) else None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _remove_copy(self, model_id: str) -> None:
        folder = self._root / model_id
        if folder.is_dir():
            files.remove_folder(folder, self._temporary_path())


def _require_unused(model_id: str, connection: Connection) -> None:
    """Raise Precondition if a model answers for a workspace."""
    if (row := connection.execute(_USERS, (model_id,)).fetchone()) is not None:
        raise Precondition(
            f"the model {model_id} answers for “{row[0]}”; activate “few-shot” or another model there first",
            Reason.MODEL_IN_USE,
        )
