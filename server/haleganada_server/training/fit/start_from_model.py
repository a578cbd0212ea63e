"""Start a training from a trained model: what it knows of its labels is kept, and new labels are added."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from haleganada_server.training.export.model_files import read_model
from haleganada_server.training.presets import get_preset


@torch.no_grad()
def start_from_model(folder: Path, labels: Sequence[str]) -> tuple[nn.Module, dict[str, Any]]:
    """Return a network for these labels that starts from a model's folder, and the options that it was built with.

    All layers but the last one start as they are; so does a label's row of the last one, if the model knows the label.
    Raises as read_model does.
    """
    known, card = read_model(folder)
    options = dict(card.options)
    network = get_preset(card.preset).build(len(labels), options, None)
    trained = {name: tensor for name, tensor in known.state_dict().items() if not name.startswith("decoder.")}
    network.load_state_dict(trained, strict=False)
    before, after = known.get_submodule("decoder"), network.get_submodule("decoder")
    rows = {label: row for row, label in enumerate(card.labels)}
    for row, label in enumerate(labels):
        if label in rows:
            for name in ("weight", "bias"):
                getattr(after, name)[row] = getattr(before, name)[rows[label]]
    return network, options
