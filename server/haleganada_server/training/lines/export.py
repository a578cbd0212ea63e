"""Export a line recognizer as an ONNX file, and compare it with torch.

onnxruntime alone can run it. Input `line` (n, 1, height, width) float32 in 0..1, 1 = paper; output `probabilities` (n,
steps, symbols + 1) float32, those of no symbol first; any n, and any width unless the card gives one. The card is in
its metadata, under `haleganada.card`, without hashes. Matrices are stored in half precision where that is exact.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
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
from haleganada_server.core.models.files import EXPORT_REPORT, METADATA, ONNX, WEIGHTS
from haleganada_server.training.export.half_precision import compact_graph
from haleganada_server.training.export.model_files import write_card
from haleganada_server.training.export.onnx_model import OPSET

from .batches import stack_lines

_TOLERANCE = 1e-3
_TRACED_WIDTH = 320


class _Probabilities(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, line: Tensor) -> Tensor:
        probabilities: Tensor = self.network(line).softmax(2)
        return probabilities


def export_lines(
    network: nn.Module, card: ModelCard, folder: Path, lines: Sequence[NDArray[np.float32]]
) -> dict[str, Any]:  # fmt: skip
    """Write model.onnx, export.json and the updated card; return the content of export.json. lines: as the network sees
    them, one or more. The card gets "milliseconds" for one line. Raises RuntimeError if the graph differs from torch.
    """
    model = _Probabilities(network).cpu().eval()
    _write_graph(model, card, folder / ONNX)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(str(folder / ONNX), options, providers=["CPUExecutionProvider"])
    parity, times = 0.0, []
    for line in lines:
        batch = stack_lines([line])
        with torch.inference_mode():
            expected = model(batch).numpy()
        start = perf_counter()
        (found,) = session.run(None, {"line": batch.numpy()})
        times.append(perf_counter() - start)
        parity = max(parity, float(np.abs(found - expected).max()))
    if not parity < _TOLERANCE:
        raise RuntimeError(f"the ONNX network's probabilities differ from torch's by {parity:.1e}; the export is wrong")
    milliseconds = float(np.median(times)) * 1000
    report = {"samples": len(lines), "parity": parity, "int8_method": ""}
    (folder / EXPORT_REPORT).write_text(json.dumps(report), encoding="utf-8")
    timed = replace(card, metrics={**card.metrics, "milliseconds": milliseconds})
    write_card(folder, timed, WEIGHTS, ONNX, EXPORT_REPORT)
    return report


def _write_graph(model: nn.Module, card: ModelCard, path: Path) -> None:
    assert card.line is not None
    axes = {"line": {0: "n"}, "probabilities": {0: "n"}}
    if not card.line.width:
        axes["line"][3], axes["probabilities"][1] = "width", "steps"
    with warnings.catch_warnings():
        # Warnings are about shapes that tracing takes as constant, which they are here, and about the newer exporter,
        # which needs another package. The graph is compared with torch afterwards.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (torch.rand(2, 1, card.line.height, card.line.width or _TRACED_WIDTH),),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            training=torch.onnx.TrainingMode.PRESERVE,
            input_names=["line"],
            output_names=["probabilities"],
            dynamic_axes=axes,
        )
    graph = onnx.load(path)
    compact_graph(graph)
    onnx.helper.set_model_props(graph, {METADATA: replace(card, sha256={}, sizes={}).to_json()})
    onnx.checker.check_model(graph)
    onnx.save(graph, path)
