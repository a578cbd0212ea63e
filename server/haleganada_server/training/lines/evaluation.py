"""An evaluation job on a data set of lines: error rates of models, what they confuse, and their worst lines.

The test part is read, or the validation part where there is none; a quick evaluation reads at most 200 lines.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.lines.error_rates import ReadLine, measure_characters
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import model_sha256, read_card
from haleganada_server.runtime.line_reader import OnnxLineReader
from haleganada_server.training.common.atomic_files import write_atomically
from haleganada_server.training.common.training_data import unusable_dataset
from haleganada_server.training.evaluation.progress import ProgressReporter, Report, carry_out
from haleganada_server.vision.line_pictures import make_line_input

from .data import LineData, read_lines
from .report import describe_errors, write_report

RESULTS = "evaluation_results.json"
_QUICK = 200
_SEED = 0  # for the choice of lines


@dataclass(frozen=True)
class _Chosen:
    """The lines to read, of all in their part."""

    part: Part
    lines: list[int]
    size: int


def run_line_evaluation(request: dict[str, Any], report: Report, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Carry out a request of the job's protocol, and write files to FOLDER/files.

    Returns the protocol's “done”: {"model": False, "cancelled", "result"}; the result is empty if it was cancelled.
    Raises Precondition (DATASET_UNUSABLE) and DataLoss (MODEL_DAMAGED).
    """
    return carry_out(_evaluate, request, report, cancelled)


def _evaluate(request: dict[str, Any], progress: ProgressReporter) -> dict[str, Any]:
    data, files = read_lines(request["dataset"]), Path(request["folder"]) / "files"
    files.mkdir(exist_ok=True)
    quick = bool(request["quick"])
    chosen = _choose(data, quick)
    result = {
        "dataset": {
            "name": data.name,
            "sha256": data.sha256,
            "part": chosen.part.name.lower(),
            "drawings": len(chosen.lines),
            "drawings_in_part": chosen.size,
            "labels": len(set("".join(data.texts)) - {" "}),
        },
        "notes": ["texts are compared after NFC, without joiners, with quotation marks and dashes in one form each"],
        "models": [_measure(entry, data, chosen, files, quick, progress) for entry in request["models"]],
    }
    write_atomically(files / RESULTS, json.dumps(result, ensure_ascii=False, indent=1).encode())
    return result


def _choose(data: LineData, quick: bool) -> _Chosen:
    part = Part.TEST if len(data.part(Part.TEST)) else Part.VALIDATION
    lines = data.part(part)
    if not len(lines):
        raise unusable_dataset({"name": data.name}, "it has no test part and no validation part; add it again with one")
    if quick and len(lines) > _QUICK:
        return _Chosen(part, np.sort(np.random.default_rng(_SEED).permutation(lines)[:_QUICK]).tolist(), len(lines))
    return _Chosen(part, lines.tolist(), len(lines))


def _measure(
    entry: dict[str, str], data: LineData, chosen: _Chosen, files: Path, quick: bool, progress: ProgressReporter
) -> dict[str, Any]:
    """Return what an evaluation says about a model, and write its report unless it is quick."""
    folder, model_id = Path(entry["folder"]), entry["model_id"]
    card = read_card(folder)
    reader = OnnxLineReader(folder, card, make_line_input)
    read, seconds = [], []
    for line in progress.track("evaluating", chosen.lines, lambda _: 1, entry["name"]):
        gray, start = data.picture(line), time.perf_counter()
        text = reader.alphabet.decode(symbol.number for symbol in reader.read(gray))
        seconds.append(time.perf_counter() - start)
        group = int(data.groups[line])
        read.append(ReadLine(data.texts[line], text, str(group) if group >= 0 else ""))
    found = _describe(entry, card, read)
    if quick:
        return found
    names = write_report(files, read, [data.picture(line) for line in chosen.lines], f"{model_id}_")
    return {**found, "milliseconds": float(np.median(seconds)) * 1000, "files": names}


def _describe(entry: dict[str, str], card: ModelCard, read: list[ReadLine]) -> dict[str, Any]:
    characters = measure_characters(read)
    return {
        "model_id": entry["model_id"],
        "name": entry["name"],
        "shown_as": entry["name"],
        "sha256": model_sha256(card),
        "preset": card.preset,
        "parameters": card.parameters,
        "trained_on": {"name": card.dataset_name, "sha256": card.dataset_sha256},
        "accuracy": _accuracy(characters.rate),
        "accuracy_interval": [_accuracy(characters.high), _accuracy(characters.low)],
        "correct": sum(line.text == line.read for line in read),
        "n": len(read),
        "labels": len(card.labels),
        "lines": describe_errors(read),
    }


def _accuracy(rate: float) -> float:
    return max(0.0, 1 - rate)
