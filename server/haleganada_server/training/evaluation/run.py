"""The evaluation job: measures models on a data set, writes reports for people, and returns the metrics.

The test part is measured, or the validation part where there is none. The drawings of a label that a model does not
know count as wrong, and the label is listed. Drawings of none of the labels count apart: how many are called unknown. A
quick evaluation measures accuracy only, on at most 1,000 drawings.
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
from haleganada_server.core.limits import QUICK_EVALUATION_DRAWINGS
from haleganada_server.core.model_names import FEW_SHOT
from haleganada_server.training.common.training_data import TrainingData, read_dataset, unusable_dataset

from .metrics import Evaluation
from .predictions import LabelSpace, predict_all
from .progress import ProgressReporter, Report, carry_out
from .recognizers import FewShot, Rasters, Recognizer, TrainedModel, measure_latency_ms
from .report import ENSEMBLE, EvaluatedModel, EvaluatedPart, write_report

_TEACHING_BATCH = 256  # drawings
_SEED = 0  # for the choice of drawings


def run_evaluation(request: dict[str, Any], report: Report, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Carry out a request of the job's protocol, and write files to FOLDER/files.

    Returns the protocol's “done”: {"model": False, "cancelled", "result"}; the result is empty if it was cancelled.
    Raises Precondition (DATASET_UNUSABLE, WEIGHTS_DAMAGED, MODEL_DAMAGED) and DataLoss (MODEL_DAMAGED).
    """
    return carry_out(_evaluate, request, report, cancelled)


def _evaluate(request: dict[str, Any], progress: ProgressReporter) -> dict[str, Any]:
    data = read_dataset(request["dataset"])
    part = _choose_part(data, bool(request["quick"]))
    recognizers = [_load_recognizer(entry, request, data, progress) for entry in request["models"]]
    space = LabelSpace.build(data.labels, recognizers)
    with ThreadPoolExecutor(os.cpu_count() or 1, "evaluate") as pool:
        items = np.concatenate([part.items, part.unknown])
        predictions = predict_all(recognizers, part.rasters, items, space, pool, progress)
    truth = data.arrays.labels[part.items].astype(np.int32)
    known, unknown = slice(len(truth)), slice(len(truth), None)
    evaluations = [Evaluation(space, truth, part.items, both[known], both[unknown]) for both in predictions]
    models = [
        _describe_model(recognizer, evaluation, part)
        for recognizer, evaluation in zip(recognizers, evaluations, strict=False)
    ]
    if len(evaluations) > len(recognizers):
        models.append(_describe_ensemble(recognizers, evaluations[-1]))
    return write_report(part, models, Path(request["folder"]) / "files", progress)


def _choose_part(data: TrainingData, quick: bool) -> EvaluatedPart:
    """Choose the drawings to measure on. Raises Precondition if there is none."""
    part = Part.TEST if len(data.part(Part.TEST)) else Part.VALIDATION
    items: NDArray[np.intp] = data.part(part)
    if not len(items):
        raise unusable_dataset(
            {"name": data.name}, "it has no test part and no validation part; upload it again with one"
        )
    limit = QUICK_EVALUATION_DRAWINGS if quick else None
    return EvaluatedPart(
        name=data.name,
        sha256=data.sha256,
        part=part,
        labels=data.labels,
        rasters=data.arrays.rasters,
        items=_choose_items(items, limit),
        unknown=_choose_items(data.unknown(part), limit),
        size=len(items),
        quick=quick,
    )


def _choose_items(items: NDArray[np.intp], limit: int | None) -> NDArray[np.intp]:
    """Choose at most `limit` items at random, always the same."""
    if limit is None or len(items) <= limit:
        return items
    return np.sort(np.random.default_rng(_SEED).choice(items, limit, replace=False))


def _load_recognizer(
    entry: dict[str, str], request: dict[str, Any], data: TrainingData, progress: ProgressReporter
) -> Recognizer:  # fmt: skip
    if entry["model_id"] != FEW_SHOT:
        return TrainedModel.load(entry["model_id"], entry["name"], Path(entry["folder"]))
    if not len(data.part(Part.TRAIN)):
        raise unusable_dataset({"name": data.name}, "it has no training part to teach the few-shot head with")
    return FewShot.teach(Path(request["weights"]), _iterate_training_part(data, progress))


def _iterate_training_part(data: TrainingData, progress: ProgressReporter) -> Iterator[tuple[Rasters, list[str]]]:
    """Yield the training part in batches."""
    items = data.part(Part.TRAIN)
    batches = [items[i : i + _TEACHING_BATCH] for i in range(0, len(items), _TEACHING_BATCH)]
    for batch in progress.track("teaching", batches, len):
        yield data.rasters(batch), [data.labels[i] for i in data.targets(batch)]


def _describe_model(recognizer: Recognizer, evaluation: Evaluation, part: EvaluatedPart) -> EvaluatedModel:
    facts = dict(recognizer.facts)
    if not part.quick:
        facts["milliseconds"] = measure_latency_ms(recognizer, part.rasters[part.items[:100]])
    return EvaluatedModel(
        model_id=recognizer.model_id,
        name=recognizer.name,
        sha256=recognizer.sha256,
        labels=frozenset(recognizer.labels),
        evaluation=evaluation,
        facts=facts,
    )


def _describe_ensemble(recognizers: list[Recognizer], evaluation: Evaluation) -> EvaluatedModel:
    """Describe all recognizers as one model, whose labels are those that all of them know."""
    members = [recognizer.model_id for recognizer in recognizers]
    return EvaluatedModel(
        model_id=ENSEMBLE,
        name=f"all {len(members)} together",
        sha256="",
        labels=frozenset[str].intersection(*(frozenset(recognizer.labels) for recognizer in recognizers)),
        evaluation=evaluation,
        facts={"rule": "mean of log-probabilities", "members": members},
    )
