"""Export a trained network as ONNX files in two precisions, float32 and int8, and check and measure each.

onnxruntime alone can run them. Input `ink` (n, 1, side, side) float32 in 0..1, 1 = ink; output `probabilities` (n,
classes) float32; any n. A network that can reject has a second output, `unknown` (n,) float32: the probability that a
drawing has none of the labels. The graph includes the network's own preprocessing, the temperature and the softmax.
Labels and side are in its metadata, under `haleganada.card`: the card's JSON without hashes, because no file can
contain its own. Matrices are stored in half precision where that is exact.
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
from haleganada_server.training.presets import measure_features

from .half_precision import compact_graph
from .model_files import write_card
from .quantize import quantize
from .rejection import Rejection

OPSET = 17
_TOLERANCE = 1e-4
_CHUNK = 32  # drawings at once, to limit the memory of large networks
_TIMED = 30  # drawings to time; the median is reported

Floats = NDArray[np.float32]
Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class PrecisionMetrics:
    """Metrics of one precision. accuracy: on the samples, 0..1. milliseconds: median for one drawing on one core.

    same_answers: share of the samples for which the most probable label is that of torch.
    """

    bytes: int
    accuracy: float
    milliseconds: float
    same_answers: float


class Probabilities(nn.Module):
    """A network followed by temperature and softmax, and by what rejects drawings if it can."""

    def __init__(self, network: nn.Module, temperature: float, rejection: Rejection | None) -> None:
        super().__init__()
        self.network, self.temperature, self.rejection = network, temperature, rejection

    def forward(self, ink: Tensor) -> tuple[Tensor, ...]:
        logits, features = measure_features(self.network, ink)
        probabilities = (logits / self.temperature).softmax(1)
        return (probabilities,) if self.rejection is None else (probabilities, self.rejection(features))

    @property
    def outputs(self) -> list[str]:
        """The names of its outputs."""
        return ["probabilities"] if self.rejection is None else ["probabilities", "unknown"]


def export_model(
    network: nn.Module,
    card: ModelCard,
    folder: Path,
    ink: Floats,
    labels: Labels,
    rejection: Rejection | None = None,
) -> dict[str, Any]:
    """Write model.onnx, model.int8.onnx, export.json and the updated card; return the content of export.json.

    ink: (n, 1, side, side), n >= 1, samples of the validation part if there is one; int8 is calibrated, and all metrics
    are measured, with them. labels: (n,), ids. rejection: None for a network that cannot reject. The card gets
    "milliseconds", those of float32.

    Raises RuntimeError if the graph's probabilities differ from torch's.
    """
    model = Probabilities(network, card.temperature, rejection).cpu().eval()
    expected = _predict_with_torch(model, ink)
    _write_graph(model, card, folder / ONNX)
    session = _open_session(folder / ONNX)
    parity = max(
        float(np.abs(_predict(session, ink, name) - values).max())
        for name, values in zip(model.outputs, expected, strict=True)
    )
    if not parity < _TOLERANCE:
        raise RuntimeError(f"the ONNX network's probabilities differ from torch's by {parity:.1e}; the export is wrong")
    method = quantize(
        folder / ONNX, folder / ONNX_INT8, ink, lambda path: _agreement(_predict(_open_session(path), ink), expected[0])
    )
    report: dict[str, Any] = {"samples": len(ink), "parity": parity, "int8_method": method}
    for name, file in (("float32", ONNX), ("int8", ONNX_INT8)):
        report[name] = asdict(_measure(folder / file, ink, labels, expected[0]))
    (folder / EXPORT_REPORT).write_text(json.dumps(report), encoding="utf-8")
    timed = replace(card, metrics={**card.metrics, "milliseconds": report["float32"]["milliseconds"]})
    write_card(folder, timed, *({WEIGHTS} if (folder / WEIGHTS).exists() else ()), ONNX, ONNX_INT8, EXPORT_REPORT)
    return report


def _write_graph(model: Probabilities, card: ModelCard, path: Path) -> None:
    side = card.preprocessing.side
    with warnings.catch_warnings():
        # Warnings are about shapes that tracing takes as constant, which they are here, and about the newer exporter,
        # which needs another package. The graph is compared with torch afterwards.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (torch.rand(2, 1, side, side),),
            str(path),
            training=torch.onnx.TrainingMode.PRESERVE,  # EVAL would multiply matrices by the gains
            dynamo=False,
            opset_version=OPSET,
            input_names=["ink"],
            output_names=model.outputs,
            dynamic_axes={name: {0: "n"} for name in ("ink", *model.outputs)},
        )
    graph = onnx.load(path)
    compact_graph(graph)
    onnx.helper.set_model_props(graph, {METADATA: replace(card, sha256={}, sizes={}).to_json()})
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def _open_session(path: Path) -> onnxruntime.InferenceSession:
    """Open a session on one core, so that times are comparable."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _predict_with_torch(model: Probabilities, ink: Floats) -> list[Floats]:
    """Return each of the outputs."""
    with torch.inference_mode():
        chunks = [model(chunk) for chunk in torch.from_numpy(ink).split(_CHUNK)]
    return [torch.cat(parts).numpy() for parts in zip(*chunks, strict=True)]


def _predict(session: onnxruntime.InferenceSession, ink: Floats, output: str = "probabilities") -> Floats:
    chunks = [session.run([output], {"ink": ink[i : i + _CHUNK]})[0] for i in range(0, len(ink), _CHUNK)]
    return np.concatenate(chunks)


def _agreement(probabilities: Floats, expected: Floats) -> float:
    return float((probabilities.argmax(1) == expected.argmax(1)).mean())


def _measure(path: Path, ink: Floats, labels: Labels, expected: Floats) -> PrecisionMetrics:
    session = _open_session(path)
    probabilities = _predict(session, ink)
    times = []
    for drawing in ink[:_TIMED]:
        start = perf_counter()
        session.run(["probabilities"], {"ink": drawing[None]})
        times.append(perf_counter() - start)
    milliseconds = float(np.median(times)) * 1000
    accuracy = float((probabilities.argmax(1) == labels).mean())
    return PrecisionMetrics(path.stat().st_size, accuracy, milliseconds, _agreement(probabilities, expected))
