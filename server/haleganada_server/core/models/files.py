"""The files in a trained model's folder, and checks that they are the ones its card describes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from haleganada_server.core.disk.checksum import NEWER, is_newer
from haleganada_server.core.disk.files import file_sha256
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Precondition
from haleganada_server.core.machine_errors import raise_machine_error

from .card import ModelCard

CARD = "model.json"
WEIGHTS = "model.safetensors"
ONNX = "model.onnx"
ONNX_INT8 = "model.int8.onnx"
EXPORT_REPORT = "export.json"
EXEMPLARS = "memory.png"
SYMBOL_ORDER = "symbol_order.npz"
"""How the symbols of lines follow each other, of a model that reads lines and gains by it."""
EARLIER_SYMBOL_ORDER = "symbol_order.json.gz"
"""The same, in models that earlier versions have trained."""
METADATA = "haleganada.card"
"""Key in an ONNX file's metadata; its value is the card as it was when the file was made."""


def model_sha256(card: ModelCard) -> str:
    """Return the hash that identifies a model: the SHA-256 of its weights, or of its ONNX file if it has none.

    "" for a card without either.
    """
    return card.sha256.get(WEIGHTS) or card.sha256.get(ONNX, "")


def read_card(folder: Path, name: str = "") -> ModelCard:
    """Read a model's card. name: of the model, for the error; its folder's by default.

    Raises DataLoss if it is missing, has changed since it was written, or names files outside the folder; Exhausted or
    Unavailable if the machine failed.
    """
    name = name or folder.name
    try:
        card = ModelCard.from_json((folder / CARD).read_bytes())
    except OSError as error:
        raise_machine_error(error)
        raise damaged_model(name, f"{CARD} is missing or cannot be read") from error
    except Precondition as error:
        if is_newer(error):
            raise DataLoss(f"the model “{name}” cannot be used: {NEWER}", Reason.MODEL_DAMAGED) from error
        raise damaged_model(name, error.message) from error
    if any(Path(other).name != other for other in card.sha256):
        raise damaged_model(name, f"{CARD} names a file outside its folder")
    return card


def require_intact(folder: Path, card: ModelCard, names: Iterable[str]) -> None:
    """Raise DataLoss unless each of these files exists and has the SHA-256 that the card gives for it."""
    for name in names:
        expected = card.sha256.get(name)
        if expected is None:
            raise damaged_model(card.name, f"{CARD} does not list {name}")
        try:
            actual = file_sha256(folder / name)
        except OSError as error:
            raise_machine_error(error)
            raise damaged_model(card.name, f"{name} is missing or cannot be read") from error
        if actual != expected:
            raise damaged_model(card.name, f"the SHA-256 of {name} is not the one in {CARD}")


def find_visible_damage(folder: Path, card: ModelCard) -> DataLoss | None:
    """Return what is wrong with a model's files without reading them; None if all exist with the sizes on the card."""
    for name in sorted({ONNX, *card.sha256}):
        try:
            actual = (folder / name).stat().st_size
        except OSError as error:
            raise_machine_error(error)
            return damaged_model(card.name, f"{name} is missing or cannot be read")
        if actual != card.sizes.get(name, actual):
            return damaged_model(card.name, f"{name} has {actual:,} bytes instead of {card.sizes[name]:,}")
    return None


def damaged_model(name: str, why: str) -> DataLoss:
    """Return the error for a model whose files cannot be used."""
    return DataLoss(
        f"the model “{name}” cannot be used: {why}; train it again, or delete it. Workspaces that answer with it work "
        "again as soon as “few-shot” or another model is activated there. Reinstalling the server restores a model "
        "that came with it",
        Reason.MODEL_DAMAGED,
    )
