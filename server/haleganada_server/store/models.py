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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from haleganada_server.core.disk.checksum import CHECKSUM, seal, unseal
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.disk.files import measure_size, scratch_folder
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, HaleganadaError
from haleganada_server.core.machine_errors import raise_machine_error
from haleganada_server.core.models.active_models import ActiveModel
from haleganada_server.core.models.card import ModelCard, Preprocessing
from haleganada_server.core.models.files import (
    EXPORT_REPORT,
    ONNX,
    find_visible_damage,
    read_card,
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

    is_shared = False

    def __init__(self, root: Path, temporary_path: Callable[[], Path], built_in: Sequence[Path] = ()) -> None:
        """root: DIR/models, created if it is missing. temporary_path: returns a new path on the same disk. built_in:
        folders of models that belong to the package, skipped if they are missing; a folder's name is its model's id.
        """
        self._root, self._temporary_path, self._built_in = root, temporary_path, tuple(built_in)
        root.mkdir(parents=True, exist_ok=True)

    def all(self) -> list[StoredModel]:
        return [
            *(_load(folder) for folder in sorted(self._root.iterdir()) if _is_model(folder)),
            *(_load(folder, built_in=True) for folder in self._built_in if folder.is_dir()),
        ]

    def news(self) -> tuple[list[StoredModel], list[str]]:
        return [], []  # nobody else changes the folders

    def load(self, model_id: str) -> StoredModel:
        """Return the model in a folder, also a damaged one."""
        return _load(self._root / model_id)

    def add(self, folder: Path, model_id: str) -> StoredModel:
        card = read_card(folder)
        require_intact(folder, card, {ONNX, *card.sha256})
        target = self._root / model_id
        with storage_errors("models"):
            if target.exists():
                files.remove_folder(folder, self._temporary_path())
                return _load(target)
            for path in folder.iterdir():
                if path.is_file():
                    files.sync_file(path)
            files.sync_folder(folder)
            reach("model.synced")
            folder.replace(target)
            reach("model.renamed")
            files.sync_folder(self._root)
        return _describe(target, card)

    def remove(self, model: StoredModel) -> None:
        with storage_errors("models"):
            files.remove_folder(model.folder, self._temporary_path())
            reach("model.removed")

    def get_file(self, model: StoredModel, name: str) -> ModelFile:
        require_intact(model.folder, model.card, [name])
        path = model.folder / name
        file_name = f"{model.card.preset}-{model.model_id}{name.removeprefix('model')}"
        return ModelFile(path, file_name, path.stat().st_size, _load_report(model))

    def find_visible_damage(self, model: StoredModel) -> DataLoss | None:
        return find_visible_damage(model.folder, model.card)

    def load_active(self) -> dict[str, ActiveModel]:
        try:
            stored = json.loads((self._root / _ACTIVE).read_bytes())
            entries = unseal(stored)["workspaces"] if CHECKSUM in stored else stored  # earlier versions wrote none
            return {str(workspace): _parse_active(entry) for workspace, entry in entries.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, HaleganadaError) as error:
            raise_machine_error(error)  # or the next change would overwrite a sound file
            raise DataLoss(
                f"models/{_ACTIVE} cannot be read ({error}), so nobody knows which models answer; activate one in each "
                "workspace",
                Reason.MODEL_DAMAGED,
            ) from error

    def active_news(self) -> dict[str, ActiveModel] | None:
        return None  # nobody else changes them

    def save_active(self, active: Mapping[str, ActiveModel]) -> None:
        entries = {
            name: asdict(entry) if isinstance(entry, OnlineLearning) else entry for name, entry in active.items()
        }
        with storage_errors("models"), scratch_folder(self._temporary_path()) as scratch:
            files.write_json(self._root / _ACTIVE, seal({"workspaces": entries}), scratch)
            reach("model.activated")


def _load(folder: Path, *, built_in: bool = False) -> StoredModel:
    """Load a model's card. Other files are checked when they are needed; at each start that would take seconds."""
    try:
        return _describe(folder, read_card(folder), built_in=built_in)
    except DataLoss as error:
        _log.error("%s", error.message)
        return describe_unreadable(folder, error.message, built_in=built_in)


def describe_unreadable(folder: Path, damage: str, *, built_in: bool = False) -> StoredModel:
    """Return what a list shows of a model whose card cannot be used."""
    return _describe(folder, _make_stand_in(folder.name), built_in=built_in, card_damage=damage)


def _describe(folder: Path, card: ModelCard, *, built_in: bool = False, card_damage: str = "") -> StoredModel:
    return StoredModel(
        model_id=folder.name,
        card=card,
        folder=folder,
        bytes_on_disk=sum(measure_size(path) for path in folder.rglob("*") if path.is_file()),
        built_in=built_in,
        card_damage=card_damage,
    )


def _make_stand_in(model_id: str) -> ModelCard:
    """Return what is known of a model whose card cannot be used: its id."""
    return ModelCard(
        preset="",
        name=model_id,
        labels=(),
        preprocessing=Preprocessing(0),
        temperature=1.0,
        parameters=0,
        created_us=0,
        dataset_name="",
        dataset_sha256="",
        sha256={},
    )


def _parse_active(entry: Any) -> ActiveModel:
    """Parse a model's id, or an object. Raises TypeError, KeyError or InvalidInput for a damaged entry."""
    if not isinstance(entry, dict):
        return str(entry)
    config = OnlineConfig(**entry["config"])
    config.check()
    return OnlineLearning(str(entry["start"]), config)


def _is_model(path: Path) -> bool:
    """Return whether this is a folder that a server named; log other things that lie beside them."""
    if path.is_dir() and _ID.fullmatch(path.name):
        return True
    if path.name != _ACTIVE:
        _log.error("models/%s is skipped: its name is not a model id", path.name)
    return False


def _load_report(model: StoredModel) -> dict[str, Any]:
    """Return how the exported files were checked; {} if that is not known."""
    try:
        report: dict[str, Any] = json.loads((model.folder / EXPORT_REPORT).read_bytes())
    except (OSError, ValueError):
        return {}
    return report
