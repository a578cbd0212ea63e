"""A trained network and its card as a folder, and back.

model.json is written last and tells the SHA-256 of each other file, so that a folder with it is whole, and a file that
was changed or exchanged is noticed. Nothing in a folder can run code.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import InvalidInput, Precondition
from haleganada_server.core.files import file_sha256
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import CARD, WEIGHTS, damaged_model, require_intact
from haleganada_server.training.common.checkpoint import write_tensors
from haleganada_server.training.presets import Preset, get_preset

from .half_precision import compact


def write_model(folder: Path, network: nn.Module, card: ModelCard) -> ModelCard:
    """Write a network and its card into a folder that exists; returns the card with the weights' SHA-256."""
    write_tensors(folder / WEIGHTS, compact(network.state_dict()), {"format": "pt"})
    return write_card(folder, card, WEIGHTS)


def write_card(folder: Path, card: ModelCard, *files: str) -> ModelCard:
    """Write model.json with SHA-256 and size of these files beside those that the card has; returns that card."""
    hashes = {name: file_sha256(folder / name) for name in files}
    sizes = {name: (folder / name).stat().st_size for name in files}
    known = replace(card, sha256={**card.sha256, **hashes}, sizes={**card.sizes, **sizes})
    draft = folder / f"{CARD}.tmp"
    draft.write_text(known.to_json(), encoding="utf-8")
    draft.replace(folder / CARD)
    return known


def read_model(folder: Path) -> tuple[nn.Module, ModelCard]:
    """The network, in evaluation mode, and its card.

    Raises DataLoss if a file is missing or not the one that was written, Precondition if the network is not one of this
    version's, or there is no card.
    """
    card = read_card(folder)
    chosen = _preset_of(card)
    require_intact(folder, card, [WEIGHTS])
    try:
        network = chosen.build(len(card.labels), card.options, None)
        network.load_state_dict(load_file(folder / WEIGHTS))
    except (RuntimeError, SafetensorError, InvalidInput) as error:
        why = f"its tensors are not those of {card.preset} with {len(card.labels)} labels"
        raise _unfit(card, why, Reason.MODEL_DOES_NOT_FIT) from error
    return network.eval(), card


def read_card(folder: Path) -> ModelCard:
    """model.json of a folder. Raises Precondition if it is not one, DataLoss if it cannot be read."""
    try:
        return ModelCard.from_json((folder / CARD).read_bytes())
    except OSError as error:
        raise damaged_model(folder.name, f"{CARD} is missing or cannot be read") from error


def _preset_of(card: ModelCard) -> Preset:
    try:
        chosen = get_preset(card.preset)
    except InvalidInput as error:
        why = f"this version does not know its preset “{card.preset}”"
        raise _unfit(card, why, Reason.PRESET_UNKNOWN) from error
    if chosen.preprocessing != card.preprocessing:
        raise _unfit(card, f"this version gives ink to {card.preset} in another way", Reason.MODEL_DOES_NOT_FIT)
    return chosen


def _unfit(card: ModelCard, why: str, reason: Reason) -> Precondition:
    what_next = "use the version of Haleganada that trained it, train it again, or delete it"
    return Precondition(f"the model “{card.name}” cannot be used: {why}; {what_next}", reason)
