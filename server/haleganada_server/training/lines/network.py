"""The network that a training of lines begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from haleganada_server.core.lines.alphabet import Alphabet, SymbolKind
from haleganada_server.core.models.card import ModelCard
from haleganada_server.training.presets import Preset
from haleganada_server.training.presets.ppocr_v6 import PpOcrV6
from haleganada_server.training.presets.ppocr_weights import load_ppocr

_FROZEN_BLOCKS = 4  # behind the stem
HEADS = ("decoder", "shortcut")
"""Layers with a row for each symbol, behind one for no symbol."""


def clear_gradients(network: nn.Module, rows: Sequence[int]) -> None:
    """Let a step leave these rows of the last layers as they are."""
    for head in HEADS:
        for parameter in network.get_submodule(head).parameters() if hasattr(network, head) else ():
            if parameter.grad is not None:
                parameter.grad[list(rows)] = 0


def freeze_lowest(network: nn.Module) -> None:
    """Let a training leave the lowest layers of PP-OCR's network as they are: a quarter of its time is theirs, and
    strokes look alike in all hands.
    """
    if isinstance(network, PpOcrV6):
        for part in (network.stem, *network.blocks[:_FROZEN_BLOCKS]):
            part.requires_grad_(False)


def build_network(
    preset: Preset, alphabet: Alphabet, known: nn.Module | None = None, card: ModelCard | None = None
) -> tuple[nn.Module, dict[str, Any]]:  # fmt: skip
    """Return a network for an alphabet, and the options that it was built with.

    known, card: a model to start from; of the symbols that it knows, nothing is lost. Raises Precondition if the
    weights that a preset starts with are not there.
    """
    if known is not None and card is not None:
        options = dict(card.options)
        network = preset.build(len(alphabet.symbols) + 1, options, None)
        _copy(known, network, card.labels, alphabet.symbols)
        return network, options
    # Units of Kannada are narrow: more of them than steps of 8 px may stand in a line.
    options = {"stride": 4 if alphabet.kind is SymbolKind.UNITS else 8} if preset.facts.starts_trained else {}
    network = preset.build(len(alphabet.symbols) + 1, options, None)
    if isinstance(network, PpOcrV6):
        load_ppocr(network, alphabet.symbols)
    return network, options


@torch.no_grad()
def _copy(known: nn.Module, network: nn.Module, before: Sequence[str], after: Sequence[str]) -> None:
    """Copy all layers, and of the last ones the rows of the symbols that both have."""
    kept = {name: tensor for name, tensor in known.state_dict().items() if name.partition(".")[0] not in HEADS}
    network.load_state_dict(kept, strict=False)
    places = {symbol: place for place, symbol in enumerate(["", *before])}
    for head in HEADS:
        if not hasattr(known, head):
            continue
        old, new = known.get_submodule(head), network.get_submodule(head)
        new.bias.fill_(float(old.bias.median()))  # type: ignore[operator]
        for row, symbol in enumerate(["", *after]):
            if (place := places.get(symbol)) is not None:
                for name in ("weight", "bias"):
                    getattr(new, name)[row] = getattr(old, name)[place]
