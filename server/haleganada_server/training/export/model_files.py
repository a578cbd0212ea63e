"""Write a trained network and its card to a folder, and read them back.

model.json is written last and has the SHA-256 of each other file, so a folder that has it is complete, and changed or
replaced files are detected. Nothing in a folder can run code.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from haleganada_server.core.disk.files import file_sha256
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import InvalidInput, Precondition
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import CARD, WEIGHTS, read_card, require_intact
from haleganada_server.training.common.checkpoint import write_tensors
from haleganada_server.training.presets import Preset, get_preset

from .half_precision import compact


def write_model(folder: Path, network: nn.Module, card: ModelCard) -> ModelCard:
    """Write a network and its card into an existing folder; return the card with the weights' SHA-256."""
    write_tensors(folder / WEIGHTS, compact(network.state_dict()), {"format": "pt"})
    return write_card(folder, card, WEIGHTS)


def write_card(folder: Path, card: ModelCard, *files: str) -> ModelCard:
    """Add SHA-256 and size of these files to the card, write it as model.json, and return it."""
    hashes = {name: file_sha256(folder / name) for name in files}
    sizes = {name: (folder / name).stat().st_size for name in files}
    complete = replace(card, sha256={**card.sha256, **hashes}, sizes={**card.sizes, **sizes})
    draft = folder / f"{CARD}.tmp"
    draft.write_text(complete.to_json(), encoding="utf-8")
    draft.replace(folder / CARD)
    return complete


def read_model(folder: Path) -> tuple[nn.Module, ModelCard]:
    """Return the network, in evaluation mode, and its card.

    Raises DataLoss if a file is missing or changed, Precondition if this version cannot run the network.
    """
    card = read_card(folder)
    chosen = _find_preset(card)
    require_intact(folder, card, [WEIGHTS])
    try:
        network = chosen.build(card.outputs, card.options, None)
        network.load_state_dict(load_file(folder / WEIGHTS))
    except (RuntimeError, SafetensorError, InvalidInput) as error:
        why = f"its tensors do not match {card.preset} with {len(card.labels)} labels"
        raise _unusable_model(card, why, Reason.MODEL_DOES_NOT_FIT) from error
    return network.eval(), card


def _find_preset(card: ModelCard) -> Preset:
    try:
        chosen = get_preset(card.preset)
    except InvalidInput as error:
        why = f"this version has no preset “{card.preset}”"
        raise _unusable_model(card, why, Reason.PRESET_UNKNOWN) from error
    usual = chosen.preprocessing
    if (replace(usual, side=card.preprocessing.side) if chosen.facts.is_resizable else usual) != card.preprocessing:
        raise _unusable_model(
            card, f"this version preprocesses ink for {card.preset} differently", Reason.MODEL_DOES_NOT_FIT
        )
    return chosen


def _unusable_model(card: ModelCard, why: str, reason: Reason) -> Precondition:
    what_next = "use the version of Haleganada that trained it, train it again, or delete it"
    return Precondition(f"the model “{card.name}” cannot be used: {why}; {what_next}", reason)
