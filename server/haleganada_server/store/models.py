"""Trained models on disk: DIR/models/<model_id>/ with the files that core/models/files names, and
DIR/models/active.json with the workspaces' choices. The models that come with the package are read where they lie, and
never written.

A model's folder is finished elsewhere on the same disk and renamed into place, and away when it is deleted, so that
there is always the whole of a model or nothing of it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from haleganada_server.core.errors import DataLoss, HaleganadaError, Precondition
from haleganada_server.core.files import scratch_folder
from haleganada_server.core.models.active_models import Choice
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import CARD, EXPORT_REPORT, ONNX, damaged, require_intact, visible_damage
from haleganada_server.core.models.models import ModelFile, StoredModel
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.core.models.online_status import Learning

from . import files
from .errors import storage_errors

_log = logging.getLogger(__name__)
_CHOICES = "active.json"
_ID = re.compile("[0-9a-f]{12}")


class ModelFolders:
    """core.models.ModelStore on a file system."""

    def __init__(self, root: Path, temporary_path: Callable[[], Path], built_in: Sequence[Path] = ()) -> None:
        """root: DIR/models, made if it is missing. temporary_path: a fresh path on the same disk. built_in: folders of
        models that come with the package, passed over where they are missing; the folder's name is the model's id.
        """
        self._root, self._temporary_path, self._built_in = root, temporary_path, tuple(built_in)
        root.mkdir(parents=True, exist_ok=True)

    def all(self) -> list[StoredModel]:
        own = [folder for folder in sorted(self._root.iterdir()) if folder.name != _CHOICES]
        kept = list(self._readable(own, _require_id))
        there = [folder for folder in self._built_in if folder.is_dir()]
        return kept + [replace(model, built_in=True) for model in self._readable(there)]

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
        return self._stored(self._root / model_id, card)

    def remove(self, model: StoredModel) -> None:
        with storage_errors("models"):
            files.remove_folder(model.folder, self._temporary_path())

    def file(self, model: StoredModel, name: str) -> ModelFile:
        require_intact(model.folder, model.card, [name])
        path = model.folder / name
        file_name = f"{model.card.preset}-{model.model_id}{name.removeprefix('model')}"
        return ModelFile(path, file_name, path.stat().st_size, _report(model))

    def visible_damage(self, model: StoredModel) -> DataLoss | None:
        return visible_damage(model.folder, model.card)

    def choices(self) -> dict[str, Choice]:
        try:
            kept = json.loads((self._root / _CHOICES).read_bytes())
            return {str(workspace): _choice(stored) for workspace, stored in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, HaleganadaError) as error:
            _log.error("%s cannot be read (%s); all workspaces answer with their own heads", _CHOICES, error)
            return {}

    def keep_choices(self, choices: Mapping[str, Choice]) -> None:
        stored = {name: asdict(choice) if isinstance(choice, Learning) else choice for name, choice in choices.items()}
        with storage_errors("models"), scratch_folder(self._temporary_path()) as scratch:
            files.write_json(self._root / _CHOICES, stored, scratch)

    def _readable(
        self, folders: Iterable[Path], check: Callable[[str], None] = lambda _name: None
    ) -> Iterator[StoredModel]:
        """The models of folders whose names pass the check; for each of the others there is a line in the log."""
        for folder in folders:
            try:
                check(folder.name)
                yield self._complete(folder)
            except HaleganadaError as error:
                _log.error("the folder %s below models is left out: %s", folder.name, error.message)

    def _complete(self, folder: Path) -> StoredModel:
        """A model that was put in place. Its hashes are compared when it is loaded: at every start that would take
        seconds.
        """
        card = _read_card(folder)
        for name in {ONNX, *card.sha256}:
            if not (folder / name).is_file():
                raise damaged(card.name, f"{name} is missing")
        return self._stored(folder, card)

    def _stored(self, folder: Path, card: ModelCard) -> StoredModel:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return StoredModel(folder.name, card, folder, size)


def _choice(stored: Any) -> Choice:
    """A choice as it was kept: a model's id, or an object. Raises what a damaged one raises."""
    if not isinstance(stored, dict):
        return str(stored)
    config = OnlineConfig(**stored["config"])
    config.check()
    return Learning(str(stored["start"]), config)


def _require_id(name: str) -> None:
    """Raises Precondition for a folder that this server did not name."""
    if not _ID.fullmatch(name):
        raise Precondition("it is not called by the id of a model")


def _read_card(folder: Path) -> ModelCard:
    """Raises Precondition, or DataLoss if the card names files elsewhere."""
    try:
        card = ModelCard.from_json((folder / CARD).read_bytes())
    except OSError as error:
        raise Precondition(
            f"there is no {CARD} that can be read, so it is no model; train it again, or delete it", "MODEL_DAMAGED"
        ) from error
    if any(Path(name).name != name for name in card.sha256):
        raise damaged(card.name, f"{CARD} names a file that does not lie beside it")
    return card


def _report(model: StoredModel) -> dict[str, Any]:
    """Return how the exported files were checked; {} if that is not known."""
    try:
        report: dict[str, Any] = json.loads((model.folder / EXPORT_REPORT).read_bytes())
    except (OSError, ValueError):
        return {}
    return report
