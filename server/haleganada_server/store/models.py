"""Trained models on disk: DIR/models/<model_id>/ with the files that core/models/files names, and
DIR/models/active.json with the active models of workspaces. Built-in models are read from the package, and never
written.

A model's folder is completed elsewhere on the same disk and renamed into place, and renamed away when it is deleted, so
that a model is always complete or absent.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, HaleganadaError, Precondition
from haleganada_server.core.files import scratch_folder
from haleganada_server.core.models.active_models import ActiveModel
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import (
    CARD,
    EXPORT_REPORT,
    ONNX,
    damaged_model,
    find_visible_damage,
    require_intact,
)
from haleganada_server.core.models.models import ModelFile, StoredModel
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.core.models.online_status import OnlineLearning

from . import files
from .errors import storage_errors

_log = logging.getLogger(__name__)
_ACTIVE = "active.json"
_ID = re.compile("[0-9a-f]{12}")


class ModelFolders:
    """core.models.models.ModelStore on a file system."""

    def __init__(self, root: Path, temporary_path: Callable[[], Path], built_in: Sequence[Path] = ()) -> None:
        """root: DIR/models, created if it is missing. temporary_path: returns a new path on the same disk. built_in:
        folders of models that belong to the package, skipped if they are missing; a folder's name is its model's id.
        """
        self._root, self._temporary_path, self._built_in = root, temporary_path, tuple(built_in)
        root.mkdir(parents=True, exist_ok=True)

    def all(self) -> list[StoredModel]:
        own = [folder for folder in sorted(self._root.iterdir()) if folder.name != _ACTIVE]
        built_in = [folder for folder in self._built_in if folder.is_dir()]
        return [
            *self._load_all(own, _require_id),
            *(replace(model, built_in=True) for model in self._load_all(built_in)),
        ]

    def add(self, folder: Path, model_id: str) -> StoredModel:
        card = _read_card(folder)
        require_intact(folder, card, {ONNX, *card.sha256})
        with storage_errors("models"):
            for path in folder.iterdir():
                if path.is_file():
                    files.sync_file(path)
            files.sync_folder(folder)
            folder.replace(self._root / model_id)
            files.sync_folder(self._root)
        return self._stored_model(self._root / model_id, card)

    def remove(self, model: StoredModel) -> None:
        with storage_errors("models"):
            files.remove_folder(model.folder, self._temporary_path())

    def get_file(self, model: StoredModel, name: str) -> ModelFile:
        require_intact(model.folder, model.card, [name])
        path = model.folder / name
        file_name = f"{model.card.preset}-{model.model_id}{name.removeprefix('model')}"
        return ModelFile(path, file_name, path.stat().st_size, _load_report(model))

    def find_visible_damage(self, model: StoredModel) -> DataLoss | None:
        return find_visible_damage(model.folder, model.card)

    def load_active(self) -> dict[str, ActiveModel]:
        try:
            entries = json.loads((self._root / _ACTIVE).read_bytes())
            return {str(workspace): _parse_active(entry) for workspace, entry in entries.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, HaleganadaError) as error:
            _log.error("%s cannot be read (%s); all workspaces answer with their own heads", _ACTIVE, error)
            return {}

    def save_active(self, active: Mapping[str, ActiveModel]) -> None:
        entries = {
            name: asdict(entry) if isinstance(entry, OnlineLearning) else entry for name, entry in active.items()
        }
        with storage_errors("models"), scratch_folder(self._temporary_path()) as scratch:
            files.write_json(self._root / _ACTIVE, entries, scratch)

    def _load_all(
        self, folders: Iterable[Path], check: Callable[[str], None] = lambda _name: None
    ) -> Iterator[StoredModel]:
        """Load the models in folders whose names pass the check; log the others."""
        for folder in folders:
            try:
                check(folder.name)
                yield self._load(folder)
            except HaleganadaError as error:
                _log.error("the folder models/%s is skipped: %s", folder.name, error.message)

    def _load(self, folder: Path) -> StoredModel:
        """Load a model's card. Hashes are checked when its network is loaded; at each start that would take seconds."""
        card = _read_card(folder)
        for name in {ONNX, *card.sha256}:
            if not (folder / name).is_file():
                raise damaged_model(card.name, f"{name} is missing")
        return self._stored_model(folder, card)

    def _stored_model(self, folder: Path, card: ModelCard) -> StoredModel:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return StoredModel(folder.name, card, folder, size)


def _parse_active(entry: Any) -> ActiveModel:
    """Parse a model's id, or an object. Raises TypeError, KeyError or InvalidInput for a damaged entry."""
    if not isinstance(entry, dict):
        return str(entry)
    config = OnlineConfig(**entry["config"])
    config.check()
    return OnlineLearning(str(entry["start"]), config)


def _require_id(name: str) -> None:
    """Raise Precondition for a folder that this server did not name."""
    if not _ID.fullmatch(name):
        raise Precondition("its name is not a model id", Reason.MODEL_DAMAGED)


def _read_card(folder: Path) -> ModelCard:
    """Load a model's card. Raises Precondition, or DataLoss if the card names files outside the folder."""
    try:
        card = ModelCard.from_json((folder / CARD).read_bytes())
    except OSError as error:
        raise Precondition(
            f"it has no readable {CARD}, so it is not a model; train it again, or delete it", Reason.MODEL_DAMAGED
        ) from error
    if any(Path(name).name != name for name in card.sha256):
        raise damaged_model(card.name, f"{CARD} names a file outside its folder")
    return card


def _load_report(model: StoredModel) -> dict[str, Any]:
    """Return how the exported files were checked; {} if that is not known."""
    try:
        report: dict[str, Any] = json.loads((model.folder / EXPORT_REPORT).read_bytes())
    except (OSError, ValueError):
        return {}
    return report
