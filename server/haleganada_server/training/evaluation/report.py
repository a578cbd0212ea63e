"""What an evaluation tells: evaluation_results.json, which is also the job's result, and the files beside it.

Files of a single model have plain names; with several, each begins with its model's id. People read names instead:
`shown_as`, which is the name, with the id behind it where two have the same one.
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

from .class_picture import class_picture
from .example_pictures import Disagreement, disagreements_picture, pairs_picture
from .matrix_page import confusion_page
from .matrix_picture import confusion_picture
from .meter import Meter
from .metrics import LISTED, Classes, Measured, Pair, classification_report, normalized, worst_first
from .recognisers import Rasters
from .sheet import percent

ENSEMBLE = "ensemble"  # model_id of all together
DISAGREEMENTS = "disagreements.png"
RESULT_BYTES = 200_000
_UNKNOWN_LISTED = 30  # labels that a model does not know
_SHOWN = 24  # drawings that models disagree on
_MOST_CELLS = 50_000_000  # of a confusion matrix


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is measured with. labels: of the data set. items: (n,) rows of the data set. every: how many the part
    has.
    """

    name: str
    sha256: str
    part: Part
    labels: tuple[str, ...]
    rasters: Rasters
    items: NDArray[np.intp]
    every: int
    quick: bool


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One model, or several together, and its answers. sha256: "" for several. facts: JSON values. apart: what is put
    behind its name to tell it from others of the same name.
    """

    model_id: str
    name: str
    sha256: str
    labels: frozenset[str]
    measured: Measured
    facts: dict[str, Any]
    apart: str = ""

    @property
    def shown_as(self) -> str:
        """What people read."""
        return self.name + self.apart


def write_report(task: Task, subjects: list[Subject], folder: Path, meter: Meter) -> dict[str, Any]:
    """Write all files, evaluation_results.json last, and return what is in that; less than 200 KB of JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    subjects = _told_apart(subjects)
    names = [*subjects[0].measured.space.labels, *(subject.name for subject in subjects), task.name]
    lettering = None if task.quick else Lettering.for_labels(names)
    result: dict[str, Any] = {"format": 1, "quick": task.quick, "dataset": _dataset(task), "notes": []}
    result["notes"] = _notes(task, subjects, lettering)
    result["models"] = [_summary(task, subject) for subject in subjects]
    if lettering is not None:
        for subject, entry in zip(subjects, result["models"], strict=True):
            prefix = f"{subject.model_id}_" if len(subjects) > 1 else ""
            entry |= _write_subject(task, subject, folder, prefix, lettering, meter)
        if len(subjects) > 1:
            result["disagreements"] = _write_disagreements(task, subjects, folder, lettering, meter)
    _write_json(folder / "evaluation_results.json", _small_enough(result))
    return result


def _told_apart(subjects: list[Subject]) -> list[Subject]:
    """With its id behind the name of each that is not the only one of its name; several together name their members."""
    count = Counter(subject.name for subject in subjects)
    apart = [replace(s, apart=f" ({s.model_id})" if count[s.name] > 1 else "") for s in subjects]
    shown = {subject.model_id: subject.shown_as for subject in apart}
    return [
        replace(s, facts={**s.facts, "member_names": [shown[member] for member in s.facts["members"]]})
        if "members" in s.facts else s for s in apart
    ]  # fmt: skip


def _dataset(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "sha256": task.sha256,
        "part": task.part.name.lower(),
        "drawings": len(task.items),
        "drawings_in_part": task.every,
        "labels": len(task.labels),
    }


def _notes(task: Task, subjects: list[Subject], lettering: Lettering | None) -> list[str]:
    """What a reader of the figures should know, as sentences."""
    notes = []
    if task.part is Part.VALIDATION:
        notes.append("The data set has no test part; its validation part was measured, by which training chose epochs.")
    if len(task.items) < task.every:
        notes.append(f"A random choice of {len(task.items):,} of {task.every:,} drawings was measured.")
    for subject in subjects:
        if not subject.labels & set(task.labels):
            notes.append(f"“{subject.shown_as}” knows no label of this data set.")
    if len(subjects) > 1 and subjects[-1].model_id != ENSEMBLE:
        notes.append("There is no ensemble: no label is known by all models.")
    if lettering and lettering.missing:
        shown = ", ".join(" ".join(code_points(text)) for text in lettering.missing[:5])
        notes.append(
            f"No installed font has all characters of {len(lettering.missing)} labels, for example {shown}; the "
            "pictures show code points. Install a font of their script on the server, for example a Noto one."
        )
    if lettering and not lettering.shaping:
        notes.append("Labels are not shaped, because libfribidi is not installed on the server; Indic ones look wrong.")
    return notes


def _summary(task: Task, subject: Subject) -> dict[str, Any]:
    """What is told of a model even when it is measured quickly."""
    named = {"model_id": subject.model_id, "name": subject.name, "shown_as": subject.shown_as}
    entry: dict[str, Any] = {**named, "sha256": subject.sha256}
    entry |= {**subject.facts, **subject.measured.accuracy()}
    drawn = {task.labels[row] for row in np.unique(subject.measured.truth)}
    unknown = sorted(drawn - subject.labels)
    of_unknown = int(np.isin(subject.measured.truth, subject.measured.space.rows(unknown)).sum())
    entry["labels"] = len(subject.labels)
    entry["labels_not_known"] = {"count": len(unknown), "drawings": of_unknown, "labels": unknown[:_UNKNOWN_LISTED]}
    return entry


def _write_subject(
    task: Task, subject: Subject, folder: Path, prefix: str, lettering: Lettering, meter: Meter
) -> dict[str, Any]:
    """Files of one model; what they add to its entry."""
    measured = subject.measured
    classes, pairs = measured.classes(), measured.pairs()
    about = f"{task.part.name.lower()} part, {len(task.items):,} drawings"
    right = f"{percent(float(measured.correct.mean()))} right"
    title = (subject.name, subject.apart, " on ", task.name, f" ({about}): {right}")
    rows = f"{about[0].upper()}{about[1:]}, {right}. Rows: drawn. Columns: answered."
    writers: dict[str, Callable[[Path], None]] = {
        "classification_report.json": lambda path: _write_json(path, classification_report(measured, classes)),
        "confusion_matrix.npz": lambda path: _write_matrix(path, measured),
        "confusion_matrix.png": lambda path: confusion_picture(path, measured, pairs, lettering, title),
        "confusion_matrix.html": lambda path: confusion_page(
            path, measured, f"{subject.shown_as} on {task.name}", rows
        ),
        "class_accuracy.png": lambda path: class_picture(path, measured, classes, lettering, title),
        "confused_pairs.png": lambda path: pairs_picture(path, measured, pairs, task.rasters, lettering, title),
    }
    if len(measured.space.labels) ** 2 > _MOST_CELLS:
        del writers["confusion_matrix.npz"], writers["confusion_matrix.png"]
    for name in meter.steps("drawing", list(writers), lambda _: 1, subject.shown_as):
        writers[name](folder / f"{prefix}{name}")
    return {**_details(measured, classes, pairs), "files": [f"{prefix}{name}" for name in writers]}


def _details(measured: Measured, classes: Classes, pairs: list[Pair]) -> dict[str, Any]:
    labels = measured.space.labels
    return {
        **measured.certainty(),
        "macro": classes.average(weighted=False),
        "weighted": classes.average(weighted=True),
        "worst": [_worst(measured, classes, int(k)) for k in worst_first(classes)[:LISTED]],
        "confused_pairs": [_pair(labels, measured, pair) for pair in pairs[:LISTED]],
        "per_class": {
            "label": [labels[row] for row in classes.rows],
            "precision": _rounded(classes.precision),
            "recall": _rounded(classes.recall),
            "f1": _rounded(classes.f1),
            "support": classes.support.tolist(),
        },
    }


def _worst(measured: Measured, classes: Classes, k: int) -> dict[str, Any]:
    row = int(classes.rows[k])
    label, times = measured.read_as(row) or ("", 0)
    return {
        "label": measured.space.labels[row],
        "accuracy": float(classes.recall[k]),
        "correct": int(classes.right[k]),
        "support": int(classes.support[k]),
        "read_as": label,
        "times": times,
    }


def _pair(labels: tuple[str, ...], measured: Measured, pair: Pair) -> dict[str, Any]:
    """items: rows of the data set, of the first label and of the second."""
    items = [[int(measured.items[i]) for i in side] for side in pair.examples()]
    return {
        "labels": [labels[pair.first], labels[pair.second]],
        "count": pair.count,
        "first_as_second": len(pair.first_as_second),
        "second_as_first": len(pair.second_as_first),
        "items": items,
    }


def _write_disagreements(
    task: Task, subjects: list[Subject], folder: Path, lettering: Lettering, meter: Meter
) -> dict[str, Any]:
    """Drawings that the models, the ensemble left out, answer differently; a picture of some if there are any."""
    meter.check()
    alone = np.stack([s.measured.answers.best for s in subjects if s.model_id != ENSEMBLE])
    truth, labels = subjects[0].measured.truth, subjects[0].measured.space.labels
    differ = np.flatnonzero((alone != alone[0]).any(axis=0))
    chosen = differ[np.unique(np.linspace(0, len(differ) - 1, min(_SHOWN, len(differ))).astype(int))]
    several = [subject.measured for subject in subjects]
    shown = [
        Disagreement(int(task.items[i]), labels[truth[i]], tuple(labels[m.answers.best[i]] for m in several))
        for i in chosen
    ]
    if shown:
        title, names = ("Where models disagree on ", task.name), [(subject.name, subject.apart) for subject in subjects]
        disagreements_picture(folder / DISAGREEMENTS, several, names, shown, task.rasters, lettering, title)
    return {
        "count": len(differ),
        "share": len(differ) / len(truth),
        "some_right": float((alone == truth).any(axis=0).mean()),
        "answers_of": [subject.model_id for subject in subjects],
        "answers_of_names": [subject.shown_as for subject in subjects],
        "examples": [{"item": s.item, "label": s.label, "answers": list(s.answers)} for s in shown],
        "files": [DISAGREEMENTS] if shown else [],
    }


def _write_matrix(path: Path, measured: Measured) -> None:
    """counts and normalized (rows: drawn, columns: answered), and labels of both."""
    counts = measured.matrix()
    labels = np.array(measured.space.labels, dtype=np.str_)
    np.savez_compressed(path, counts=counts, normalized=normalized(counts), labels=labels)


def _small_enough(result: dict[str, Any]) -> dict[str, Any]:
    """The result itself; where it would be too large, figures by label are left to the reports."""
    if len(json.dumps(result, ensure_ascii=False).encode()) > RESULT_BYTES:
        for entry in result["models"]:
            entry.pop("per_class", None)
        result["notes"].append("Figures by label are in classification_report.json only, because there are many.")
    return result


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 4) for value in values]
