"""A trained network as ONNX files that onnxruntime alone can run, in two precisions, each checked and measured.

Input `ink` (n, 1, side, side) float32 in 0..1, 1 = ink; output `probabilities` (n, classes) float32; n is free. What
the network does to ink, the temperature and the softmax are inside the graph; labels and side are in its metadata,
under `haleganada.card`, as the card's JSON, without hashes: no file can hold its own. Matrices that half precision
holds exactly are stored so (halves).
"""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import EXPORT_REPORT, METADATA, ONNX, ONNX_INT8, WEIGHTS

from .half_precision import compact_graph
from .model_files import write_card
from .quantize import quantize

OPSET = 17
_TOLERANCE = 1e-4
_PIECE = 32  # drawings at once, so that a large network takes no gigabyte
_TIMED = 30  # drawings that the time of one is the median of

Floats = NDArray[np.float32]
Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One precision. accuracy: 0..1 of the samples. milliseconds: median for one drawing, one core.

    same_answers: share of the samples for which the most probable label is torch's.
    """

    bytes: int
    accuracy: float
    milliseconds: float
    same_answers: float


class Probabilities(nn.Module):
    """A network with what turns its logits into probabilities."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, ink: Tensor) -> Tensor:
        logits: Tensor = self.network(ink) / self.temperature
        return logits.softmax(1)


def export_model(network: nn.Module, card: ModelCard, folder: Path, ink: Floats, labels: Labels) -> dict[str, Any]:
    """Write model.onnx, model.int8.onnx, export.json and the card anew; returns what is in export.json.

    ink: (n, 1, side, side) of samples, n >= 1, of the validation part if there is one: they calibrate int8, and all
    figures are theirs. labels: (n,), ids. The card gets "milliseconds", of
    float32. Raises RuntimeError if the graph's probabilities differ from torch's.
    """
    whole = Probabilities(network, card.temperature).cpu().eval()
    expected = _torch_answers(whole, ink)
    _write_graph(whole, card, folder / ONNX)
    session = _session(folder / ONNX)
    parity = float(np.abs(_answers(session, ink) - expected).max())
    if not parity < _TOLERANCE:
        raise RuntimeError(f"the ONNX network's probabilities differ from torch's by {parity:.1e}; the export is wrong")
    method = quantize(
        folder / ONNX, folder / ONNX_INT8, ink, lambda path: _same(_answers(_session(path), ink), expected)
    )
    report: dict[str, Any] = {"samples": len(ink), "parity": parity, "int8_method": method}
    for name, file in (("float32", ONNX), ("int8", ONNX_INT8)):
        report[name] = asdict(_measure(folder / file, ink, labels, expected))
    (folder / EXPORT_REPORT).write_text(json.dumps(report), encoding="utf-8")
    timed = replace(card, metrics={**card.metrics, "milliseconds": report["float32"]["milliseconds"]})
    write_card(folder, timed, *({WEIGHTS} if (folder / WEIGHTS).exists() else ()), ONNX, ONNX_INT8, EXPORT_REPORT)
    return report


def _write_graph(whole: nn.Module, card: ModelCard, path: Path) -> None:
    side = card.preprocessing.side
    with warnings.catch_warnings():
        # Of shapes that tracing takes as constant, which they are here, and of the newer exporter, which needs one more
        # package. What comes out is compared with torch.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            whole,
            (torch.rand(2, 1, side, side),),
            str(path),
            training=torch.onnx.TrainingMode.PRESERVE,  # which is inference; EVAL would multiply matrices by the gains
            dynamo=False,
            opset_version=OPSET,
            input_names=["ink"],
            output_names=["probabilities"],
            dynamic_axes={"ink": {0: "n"}, "probabilities": {0: "n"}},
        )
    model = onnx.load(path)
    compact_graph(model)
    onnx.helper.set_model_props(model, {METADATA: replace(card, sha256={}, sizes={}).to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _session(path: Path) -> onnxruntime.InferenceSession:
    """On one core, so that times can be compared."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _torch_answers(whole: nn.Module, ink: Floats) -> Floats:
    with torch.inference_mode():
        pieces = [whole(piece).numpy() for piece in torch.from_numpy(ink).split(_PIECE)]
    return np.concatenate(pieces)


def _answers(session: onnxruntime.InferenceSession, ink: Floats) -> Floats:
    pieces = [session.run(["probabilities"], {"ink": ink[i : i + _PIECE]})[0] for i in range(0, len(ink), _PIECE)]
    return np.concatenate(pieces)


def _same(answers: Floats, expected: Floats) -> float:
    return float((answers.argmax(1) == expected.argmax(1)).mean())


def _measure(path: Path, ink: Floats, labels: Labels, expected: Floats) -> Measured:
    session = _session(path)
    answers = _answers(session, ink)
    times = []
    for drawing in ink[:_TIMED]:
        start = perf_counter()
        session.run(["probabilities"], {"ink": drawing[None]})
        times.append(perf_counter() - start)
    accuracy = float((answers.argmax(1) == labels).mean())
    return Measured(path.stat().st_size, accuracy, float(np.median(times)) * 1000, _same(answers, expected))
