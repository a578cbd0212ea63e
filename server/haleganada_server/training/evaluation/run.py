"""The evaluation job: measures models on a data set, writes what people look at, returns the figures.

The test part is measured; the validation part where there is none. A label of the data set that a model does not know
is wrong for each of its drawings, and is listed. Quick: accuracy only, on at most 1,000 drawings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.model_names import FEW_SHOT
from haleganada_server.training.common.training_data import TrainingData, read_dataset, unusable_dataset

from .answers import Space, answer_all
from .meter import Cancelled, Meter, Report
from .metrics import Measured
from .recognisers import FewShot, Rasters, Recogniser, TrainedModel, milliseconds
from .report import ENSEMBLE, Subject, Task, write_report

QUICK = 1000  # drawings at most
_TEACH = 256  # drawings at a time
_SEED = 0  # of the choice of drawings


def run_evaluation(request: dict[str, Any], report: Report, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Carry out a request of the job's protocol; files go to FOLDER/files. The answer is the protocol's “done”:
    {"model": False, "cancelled", "result"}. Where it was cancelled the result is empty.

    Raises Precondition (DATASET_UNUSABLE, WEIGHTS_DAMAGED, MODEL_DAMAGED) and DataLoss (MODEL_DAMAGED).
    """
    try:
        result = _evaluate(request, Meter(report, cancelled))
    except Cancelled:
        return {"model": False, "cancelled": True, "result": {}}
    return {"model": False, "cancelled": False, "result": result}


def _evaluate(request: dict[str, Any], meter: Meter) -> dict[str, Any]:
    data = read_dataset(request["dataset"])
    task = _task(data, bool(request["quick"]))
    recognisers = [_load(entry, request, data, meter) for entry in request["models"]]
    space = Space.of(data.labels, recognisers)
    with ThreadPoolExecutor(os.cpu_count() or 1, "evaluate") as pool:
        answers = answer_all(recognisers, task.rasters, task.items, space, pool, meter)
    truth = data.arrays.labels[task.items].astype(np.int32)
    measured = [Measured(space, truth, task.items, found) for found in answers]
    subjects = [_alone(recogniser, own, task) for recogniser, own in zip(recognisers, measured, strict=False)]
    if len(measured) > len(recognisers):
        subjects.append(_together(recognisers, measured[-1]))
    return write_report(task, subjects, Path(request["folder"]) / "files", meter)


def _task(data: TrainingData, quick: bool) -> Task:
    """What is measured. Raises Precondition if there is no drawing to measure with."""
    part = Part.TEST if len(data.part(Part.TEST)) else Part.VALIDATION
    items: NDArray[np.intp] = data.part(part)
    if not len(items):
        raise unusable_dataset(
            {"name": data.name}, "it has no test part and no validation part; upload it again with one"
        )
    every = len(items)
    if quick and every > QUICK:
        items = np.sort(np.random.default_rng(_SEED).choice(items, QUICK, replace=False))
    return Task(data.name, data.sha256, part, data.labels, data.arrays.rasters, items, every, quick)


def _load(entry: dict[str, str], request: dict[str, Any], data: TrainingData, meter: Meter) -> Recogniser:
    if entry["model_id"] != FEW_SHOT:
        return TrainedModel.load(entry["model_id"], entry["name"], Path(entry["folder"]))
    if not len(data.part(Part.TRAIN)):
        raise unusable_dataset({"name": data.name}, "it has no training part to teach the few-shot head with")
    return FewShot.teach(Path(request["weights"]), _lessons(data, meter))


def _lessons(data: TrainingData, meter: Meter) -> Iterator[tuple[Rasters, list[str]]]:
    """The training part, piece by piece."""
    items = data.part(Part.TRAIN)
    pieces = [items[i : i + _TEACH] for i in range(0, len(items), _TEACH)]
    for piece in meter.steps("teaching", pieces, len):
        yield data.rasters(piece), [data.labels[i] for i in data.targets(piece)]


def _alone(recogniser: Recogniser, measured: Measured, task: Task) -> Subject:
    facts = dict(recogniser.facts)
    if not task.quick:
        facts["milliseconds"] = milliseconds(recogniser, task.rasters[task.items[:100]])
    return Subject(
        recogniser.model_id, recogniser.name, recogniser.sha256, frozenset(recogniser.labels), measured, facts
    )


def _together(recognisers: list[Recogniser], measured: Measured) -> Subject:
    """All of them as one, over the labels that all know."""
    labels = frozenset[str].intersection(*(frozenset(recogniser.labels) for recogniser in recognisers))
    members = [recogniser.model_id for recogniser in recognisers]
    facts = {"rule": "mean of log-probabilities", "members": members}
    return Subject(ENSEMBLE, f"all {len(members)} together", "", labels, measured, facts)
