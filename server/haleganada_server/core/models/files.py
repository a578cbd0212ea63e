"""The folder of a trained model: which files it has, and that they are what its card says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from haleganada_server.core.errors import DataLoss
from haleganada_server.core.files import file_sha256

from .card import ModelCard

CARD = "model.json"
WEIGHTS = "model.safetensors"
ONNX = "model.onnx"
ONNX_INT8 = "model.int8.onnx"
EXPORT_REPORT = "export.json"
EXEMPLARS = "memory.png"
METADATA = "haleganada.card"
"""Entry of an ONNX file's metadata that holds the card as it was when the file was made."""


def model_sha256(card: ModelCard) -> str:
    """What tells a model from all others, wherever one is named: the SHA-256 of its weights, else of its ONNX file."""
    return card.sha256.get(WEIGHTS) or card.sha256[ONNX]


def require_intact(folder: Path, card: ModelCard, names: Iterable[str]) -> None:
    """Raises DataLoss unless each of these files is there and has the SHA-256 that the card gives it."""
    for name in names:
        expected = card.sha256.get(name)
        if expected is None:
            raise damaged(card.name, f"{CARD} says nothing of {name}")
        try:
            actual = file_sha256(folder / name)
        except OSError as error:
            raise damaged(card.name, f"{name} is missing or cannot be read") from error
        if actual != expected:
            raise damaged(card.name, f"the SHA-256 of {name} is not the one in {CARD}")


def visible_damage(folder: Path, card: ModelCard) -> DataLoss | None:
    """What is wrong with a model's files, as seen without reading them; None if they are all there, as large as its
    card says.
    """
    for name in sorted({ONNX, *card.sha256}):
        try:
            actual = (folder / name).stat().st_size
        except OSError:
            return damaged(card.name, f"{name} is missing or cannot be read")
        if actual != card.sizes.get(name, actual):
            return damaged(card.name, f"{name} has {actual:,} bytes instead of {card.sizes[name]:,}")
    return None


def damaged(name: str, why: str) -> DataLoss:
    """The error for a model whose files cannot be used."""
    return DataLoss(
        f"the model “{name}” cannot be used: {why}; train it again, or delete it. Workspaces that answer with it go "
        "on as soon as “few-shot” or another model is activated there. One that came with the server comes back when "
        "that is installed again",
        "MODEL_DAMAGED",
    )
