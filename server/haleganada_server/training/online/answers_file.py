"""Keeps the published network where a server can run it without torch, see core.online.saved_answers."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from haleganada_server.core.online.saved_answers import ANSWERS, NETWORK, AnswersCard, hash_samples
from haleganada_server.training.common.atomic_files import write_atomically
from haleganada_server.training.common.taught_drawing import TaughtDrawing

from .published_model import PublishedModel

_OPSET = 17


class _Answers(nn.Module):
    """A network whose last layer is cut to its labels, followed by temperature and softmax."""

    def __init__(self, model: PublishedModel) -> None:
        super().__init__()
        self.network = model.network.copy().module
        self.labels, self.temperature = len(model.labels), model.temperature

    def forward(self, ink: Tensor) -> Tensor:
        logits: Tensor = self.network(ink)[:, : self.labels] / self.temperature
        return logits.softmax(1)


class AnswersFile:
    """The files in a folder that nobody else writes to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, model: PublishedModel, learned: Sequence[TaughtDrawing]) -> None:
        """Keep a network that has learned these samples, and nothing but them. Raises OSError, as when the disk is
        full; what was kept before is untouched then.
        """
        if not model.labels:
            return
        side = model.network.side
        network = _export(model, side)
        sha256 = hashlib.sha256(network).hexdigest()
        name = NETWORK.format(sha256[:16])
        card = AnswersCard(
            labels=model.labels,
            side=side,
            revision=model.revision,
            learned=len(learned),
            samples_sha256=hash_samples(learned),
            network=name,
            sha256=sha256,
        )
        write_atomically(self._folder / name, network)
        write_atomically(self._folder / ANSWERS, card.to_json().encode())
        for path in self._folder.glob(NETWORK.format("*")):
            if path.name != name:
                path.unlink(missing_ok=True)


def _export(model: PublishedModel, side: int) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in export.onnx_model
        torch.onnx.export(
            _Answers(model).eval(),
            (torch.rand(2, 1, side, side),),
            buffer,
            dynamo=False,
            opset_version=_OPSET,
            input_names=["ink"],
            output_names=["probabilities"],
            dynamic_axes={"ink": {0: "n"}, "probabilities": {0: "n"}},
        )
    return buffer.getvalue()
