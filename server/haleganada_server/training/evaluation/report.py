"""The report of an evaluation: evaluation_results.json, which is also the job's result, and the files beside it.

The files of a single model have plain names; with several models each file begins with its model's id. People are shown
`display_name` instead: the name, followed by the id where two models have the same name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.labels import code_points
from haleganada_server.training.common.lettering import Lettering

from .class_picture import draw_class_accuracy
from .example_pictures import Disagreement, draw_confused_pairs, draw_disagreements
from .matrix_page import write_confusion_page
from .matrix_picture import draw_confusion_matrix
from .metrics import LISTED, ClassMetrics, ConfusedPair, Evaluation, build_classification_report, normalize_rows
from .progress import ProgressReporter
from .recognizers import Rasters
from .sheet import format_percent

ENSEMBLE = "ensemble"  # model_id of all models together
DISAGREEMENTS = "disagreements.png"
RESULT_BYTES = 200_000
_UNKNOWN_LISTED = 30  # labels that a model does not know
_DISAGREEMENTS_SHOWN = 24  # drawings
_MOST_CELLS = 50_000_000  # of a confusion matrix


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EvaluatedPart:
    """The drawings that are measured on. labels: of the data set. items: (n,) rows of the data set. unknown: (m,) rows
    that have none of the labels. size: number of labeled drawings in the part, of which items may be a choice.
    """

    name: str
    sha256: str
    part: Part
    labels: tuple[str, ...]
    rasters: Rasters
    items: NDArray[np.intp]
    unknown: NDArray[np.intp]
    size: int
    quick: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EvaluatedModel:
    """One model, or the ensemble, and its evaluation. sha256: "" for the ensemble. facts: JSON values. suffix: follows
    the name where other models have the same one.
    """

    model_id: str
    name: str
    sha256: str
    labels: frozenset[str]
    evaluation: Evaluation
    facts: dict[str, Any]
    suffix: str = ""

    @property
    def display_name(self) -> str:
        """Name for people, unique among the models."""
        return self.name + self.suffix


def write_report(
    part: EvaluatedPart, models: list[EvaluatedModel], folder: Path, progress: ProgressReporter
) -> dict[str, Any]:  # fmt: skip
    """Write all files, evaluation_results.json last, and return its content: less than 200 KB of JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    models = _make_names_unique(models)
    texts = [*models[0].evaluation.space.labels, *(model.name for model in models), part.name]
    lettering = None if part.quick else Lettering.for_labels(texts)
    result: dict[str, Any] = {
        "format": 1,
        "quick": part.quick,
        "dataset": _describe_part(part),
        "notes": _write_notes(part, models, lettering),
        "models": [_summarize(part, model) for model in models],
    }
    if lettering is not None:
        for model, entry in zip(models, result["models"], strict=True):
            prefix = f"{model.model_id}_" if len(models) > 1 else ""
            entry |= _write_model_files(part, model, folder, prefix, lettering, progress)
        if len(models) > 1:
            result["disagreements"] = _write_disagreements(part, models, folder, lettering, progress)
    _write_json(folder / "evaluation_results.json", _limit_size(result))
    return result


def _make_names_unique(models: list[EvaluatedModel]) -> list[EvaluatedModel]:
    """Add the id to each name that several models have, and the members' names to an ensemble's facts."""
    count = Counter(model.name for model in models)
    unique = [replace(m, suffix=f" ({m.model_id})" if count[m.name] > 1 else "") for m in models]
    names = {model.model_id: model.display_name for model in unique}
    return [
        replace(m, facts={**m.facts, "member_names": [names[member] for member in m.facts["members"]]})
        if "members" in m.facts else m for m in unique
    ]  # fmt: skip


def _describe_part(part: EvaluatedPart) -> dict[str, Any]:
    return {
        "name": part.name,
        "sha256": part.sha256,
        "part": part.part.name.lower(),
        "drawings": len(part.items),
        "drawings_in_part": part.size,
        "labels": len(part.labels),
    }


def _write_notes(part: EvaluatedPart, models: list[EvaluatedModel], lettering: Lettering | None) -> list[str]:
    """Return sentences on how to read the metrics."""
    notes = []
    if part.part is Part.VALIDATION:
        notes.append("The data set has no test part; its validation part was measured, by which training chose epochs.")
    if len(part.items) < part.size:
        notes.append(f"A random choice of {len(part.items):,} of {part.size:,} drawings was measured.")
    for model in models:
        if not model.labels & set(part.labels):
            notes.append(f"“{model.display_name}” knows no label of this data set.")
    if len(models) > 1 and models[-1].model_id != ENSEMBLE:
        notes.append("There is no ensemble: no label is known by all models.")
    if lettering and lettering.missing:
        examples = ", ".join(" ".join(code_points(text)) for text in lettering.missing[:5])
        notes.append(
            f"No installed font has all characters of {len(lettering.missing)} labels, for example {examples}; the "
            "pictures show code points. Install a font of their script on the server, for example a Noto font."
        )
    if lettering and not lettering.shaping:
        notes.append("Labels are not shaped, because libfribidi is not installed on the server; Indic ones look wrong.")
    return notes


def _summarize(part: EvaluatedPart, model: EvaluatedModel) -> dict[str, Any]:
    """Return a model's entry in the result, as complete as a quick evaluation has it."""
    evaluation = model.evaluation
    drawn = {part.labels[row] for row in np.unique(evaluation.truth)}
    unknown = sorted(drawn - model.labels)
    drawings_of_unknown = int(np.isin(evaluation.truth, evaluation.space.rows(unknown)).sum())
    return {
        "model_id": model.model_id,
        "name": model.name,
        "shown_as": model.display_name,
        "sha256": model.sha256,
        **model.facts,
        **evaluation.accuracy(),
        "labels": len(model.labels),
        "labels_not_known": {
            "count": len(unknown),
            "drawings": drawings_of_unknown,
            "labels": unknown[:_UNKNOWN_LISTED],
        },
        "unknown_drawings": evaluation.count_rejected(),
    }


def _write_model_files(
    part: EvaluatedPart, model: EvaluatedModel, folder: Path, prefix: str, lettering: Lettering,
    progress: ProgressReporter,
) -> dict[str, Any]:  # fmt: skip
    """Write the files of one model, and return what they add to its entry."""
    evaluation = model.evaluation
    classes, pairs = evaluation.class_metrics(), evaluation.list_confused_pairs()
    about = f"{part.part.name.lower()} part, {len(part.items):,} drawings"
    accuracy = f"{format_percent(float(evaluation.correct.mean()))} correct"
    title = (model.name, model.suffix, " on ", part.name, f" ({about}): {accuracy}")
    subtitle = f"{about[0].upper()}{about[1:]}, {accuracy}. Rows: true labels. Columns: predicted labels."
    writers: dict[str, Callable[[Path], None]] = {
        "classification_report.json": lambda path: _write_json(path, build_classification_report(evaluation, classes)),
        "confusion_matrix.npz": lambda path: _write_matrix(path, evaluation),
        "confusion_matrix.png": lambda path: draw_confusion_matrix(path, evaluation, pairs, lettering, title),
        "confusion_matrix.html": lambda path: write_confusion_page(
            path, evaluation, f"{model.display_name} on {part.name}", subtitle
        ),
        "class_accuracy.png": lambda path: draw_class_accuracy(path, evaluation, classes, lettering, title),
        "confused_pairs.png": lambda path: draw_confused_pairs(path, evaluation, pairs, part.rasters, lettering, title),
    }
    if len(evaluation.space.labels) ** 2 > _MOST_CELLS:
        del writers["confusion_matrix.npz"], writers["confusion_matrix.png"]
    for name in progress.track("drawing", list(writers), lambda _: 1, model.display_name):
        writers[name](folder / f"{prefix}{name}")
    return {**_describe_details(evaluation, classes, pairs), "files": [f"{prefix}{name}" for name in writers]}


def _describe_details(evaluation: Evaluation, classes: ClassMetrics, pairs: list[ConfusedPair]) -> dict[str, Any]:
    labels = evaluation.space.labels
    return {
        **evaluation.confidence_metrics(),
        "macro": classes.average(weighted=False),
        "weighted": classes.average(weighted=True),
        "worst": [_describe_class(evaluation, classes, int(k)) for k in classes.worst_first()[:LISTED]],
        "confused_pairs": [_describe_pair(labels, evaluation, pair) for pair in pairs[:LISTED]],
        "per_class": {
            "label": [labels[row] for row in classes.rows],
            "precision": _round(classes.precision),
            "recall": _round(classes.recall),
            "f1": _round(classes.f1),
            "support": classes.support.tolist(),
        },
    }


def _describe_class(evaluation: Evaluation, classes: ClassMetrics, k: int) -> dict[str, Any]:
    row = int(classes.rows[k])
    mistaken_for, times = evaluation.find_mistaken_for(row) or ("", 0)
    return {
        "label": evaluation.space.labels[row],
        "accuracy": float(classes.recall[k]),
        "correct": int(classes.correct[k]),
        "support": int(classes.support[k]),
        "read_as": mistaken_for,
        "times": times,
    }


def _describe_pair(labels: tuple[str, ...], evaluation: Evaluation, pair: ConfusedPair) -> dict[str, Any]:
    """Return a pair's entry. items: rows of the data set, of the first label and of the second."""
    items = [[int(evaluation.items[i]) for i in side] for side in pair.examples()]
    return {
        "labels": [labels[pair.first], labels[pair.second]],
        "count": pair.count,
        "first_as_second": len(pair.first_as_second),
        "second_as_first": len(pair.second_as_first),
        "items": items,
    }


def _write_disagreements(
    part: EvaluatedPart, models: list[EvaluatedModel], folder: Path, lettering: Lettering, progress: ProgressReporter
) -> dict[str, Any]:
    """Describe where the models, without the ensemble, disagree, and draw some examples if there are any."""
    progress.raise_if_cancelled()
    predicted = np.stack([m.evaluation.predictions.best for m in models if m.model_id != ENSEMBLE])
    truth, labels = models[0].evaluation.truth, models[0].evaluation.space.labels
    differing = np.flatnonzero((predicted != predicted[0]).any(axis=0))
    chosen = np.linspace(0, len(differing) - 1, min(_DISAGREEMENTS_SHOWN, len(differing))).astype(int)
    evaluations = [model.evaluation for model in models]
    examples = [
        Disagreement(int(part.items[i]), labels[truth[i]], tuple(labels[e.predictions.best[i]] for e in evaluations))
        for i in differing[np.unique(chosen)]
    ]
    if examples:
        title, names = ("Where models disagree on ", part.name), [(model.name, model.suffix) for model in models]
        draw_disagreements(folder / DISAGREEMENTS, evaluations, names, examples, part.rasters, lettering, title)
    return {
        "count": len(differing),
        "share": len(differing) / len(truth),
        "some_right": float((predicted == truth).any(axis=0).mean()),
        "answers_of": [model.model_id for model in models],
        "answers_of_names": [model.display_name for model in models],
        "examples": [{"item": e.item, "label": e.label, "answers": list(e.predictions)} for e in examples],
        "files": [DISAGREEMENTS] if examples else [],
    }


def _write_matrix(path: Path, evaluation: Evaluation) -> None:
    """Write counts and normalized (rows: true, columns: predicted), and the labels of both."""
    counts = evaluation.confusion_matrix()
    labels = np.array(evaluation.space.labels, dtype=np.str_)
    np.savez_compressed(path, counts=counts, normalized=normalize_rows(counts), labels=labels)


def _limit_size(result: dict[str, Any]) -> dict[str, Any]:
    """Remove the metrics of each label from a result that would be too large; the reports have them."""
    if len(json.dumps(result, ensure_ascii=False).encode()) > RESULT_BYTES:
        for entry in result["models"]:
            entry.pop("per_class", None)
        result["notes"].append("The metrics of each label are in classification_report.json only, for there are many.")
    return result


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")


def _round(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 4) for value in values]
