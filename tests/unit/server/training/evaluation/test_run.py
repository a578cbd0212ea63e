"""An evaluation from its request to its files, with networks that onnxruntime really runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import haleganada_server
import numpy as np
import onnxruntime
import pytest
from google.protobuf.message import Message
from haleganada.v1 import dataset_service_pb2 as datasets
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import DataLoss, Precondition
from haleganada_server.core.limits import QUICK_EVALUATION_DRAWINGS
from haleganada_server.core.models.files import ONNX
from haleganada_server.rpc.convert import evaluation
from haleganada_server.training.evaluation import run_evaluation
from haleganada_server.vision import model_input
from PIL import Image

from tests.unit.server.training.evaluation.toy_models import (
    KANNADA,
    SIDE,
    WEIGHTS_SHA256,
    Letters,
    make_letters,
    write_nearest_mean,
)

WEIGHTS = Path(haleganada_server.__file__).parent / "weights"
PLAIN = {
    "classification_report.json",
    "confusion_matrix.npz",
    "confusion_matrix.png",
    "confusion_matrix.html",
    "class_accuracy.png",
    "confused_pairs.png",
}
EACH = {Part.TRAIN: 5, Part.VALIDATION: 3, Part.TEST: 8}
FEW_SHOT = {"model_id": "few-shot", "name": "few-shot"}


class Job:
    """Runs evaluations of one data set, and records their reports."""

    def __init__(self, folder: Path, data: Letters) -> None:
        self.folder, self.data = folder, data
        self.reports: list[dict[str, Any]] = []

    @property
    def files(self) -> Path:
        return self.folder / "job" / "files"

    def add_model(
        self, model_id: str, labels: tuple[str, ...] = (), side: int = SIDE, name: str = ""
    ) -> dict[str, str]:  # fmt: skip
        """Return a request's entry of a model that knows these labels, by default the data set's."""
        known, name = labels or tuple(self.data.entry["labels"]), name or f"model {model_id}"
        folder = write_nearest_mean(self.folder / model_id, name, self.data, known, side)
        return {"model_id": model_id, "name": name, "folder": str(folder)}

    def run(
        self, *models: dict[str, str], quick: bool = False, cancelled: Callable[[], bool] = lambda: False
    ) -> dict[str, Any]:
        request = {
            "kind": "evaluation", "job_id": "1", "folder": str(self.folder / "job"), "models": list(models),
            "dataset": self.data.entry, "quick": quick, "weights": str(WEIGHTS),
        }  # fmt: skip
        return run_evaluation(request, self.reports.append, cancelled)

    def result(self, *models: dict[str, str], quick: bool = False) -> dict[str, Any]:
        done = self.run(*models, quick=quick)
        assert (done["model"], done["cancelled"]) == (False, False)
        result: dict[str, Any] = done["result"]
        return result


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path, make_letters(tmp_path / "set", KANNADA, EACH, noise=0.9))


def predict_with_onnxruntime(folder: str, data: Letters, part: Part, side: int = SIDE) -> np.ndarray:
    """Return the probabilities that onnxruntime gives, (n, labels)."""
    session = onnxruntime.InferenceSession(str(Path(folder) / ONNX))
    return np.asarray(session.run(None, {"ink": model_input(data.rasters[data.rows(part)], side)})[0])


def test_one_model_gives_what_onnxruntime_gives_and_plain_files(job: Job) -> None:
    model = job.add_model("a" * 12)
    result = job.result(model)
    truth = job.data.labels[job.data.rows(Part.TEST)]
    right = predict_with_onnxruntime(model["folder"], job.data, Part.TEST).argmax(1) == truth
    (entry,) = result["models"]
    assert (entry["n"], entry["correct"], entry["accuracy"]) == (48, int(right.sum()), right.mean())
    assert 0.3 < entry["accuracy"] < 1
    assert entry["accuracy_interval"][0] < entry["accuracy"] < entry["accuracy_interval"][1]
    assert entry["labels_not_known"] == {"count": 0, "drawings": 0, "labels": []}
    assert entry["milliseconds"] > 0
    assert {path.name for path in job.files.iterdir()} == PLAIN | {"evaluation_results.json"}
    assert set(entry["files"]) == PLAIN
    assert json.loads((job.files / "evaluation_results.json").read_text("utf-8")) == result


def test_the_result_names_the_data_the_model_and_the_confused_pairs(job: Job) -> None:
    result = job.result(job.add_model("a" * 12))
    (entry,) = result["models"]
    assert result["dataset"] == {
        "name": "made letters", "sha256": "5" * 64, "part": "test", "drawings": 48, "drawings_in_part": 48, "labels": 6,
    }  # fmt: skip
    assert entry["sha256"] == WEIGHTS_SHA256  # as in lists of models
    assert sorted(entry["per_class"]["label"]) == sorted(KANNADA)
    assert entry["worst"][0]["accuracy"] == min(entry["per_class"]["recall"])
    pairs = entry["confused_pairs"]
    assert sum(pair["count"] for pair in pairs) == entry["n"] - entry["correct"]
    for pair in pairs:
        first, second = pair["items"]
        assert 1 <= len(first) + len(second) <= 6
        assert {KANNADA[job.data.labels[item]] for item in first} <= {pair["labels"][0]}
        assert {KANNADA[job.data.labels[item]] for item in second} <= {pair["labels"][1]}


def test_the_matrix_is_kept_as_counts_and_as_shares(job: Job) -> None:
    job.result(job.add_model("a" * 12))
    with np.load(job.files / "confusion_matrix.npz") as file:
        assert tuple(file["labels"]) == KANNADA
        assert (file["counts"].sum(axis=1) == 8).all()
        assert np.allclose(file["normalized"], file["counts"] / 8)


@pytest.mark.parametrize("labels", [2, 70])
def test_pictures_of_few_and_of_many_labels(tmp_path: Path, labels: int) -> None:
    names = tuple(chr(0xC85 + i) if i < 8 else f"label {i}" for i in range(labels))
    job = Job(tmp_path, make_letters(tmp_path / "set", names, {Part.TRAIN: 2, Part.TEST: 2}, noise=0.9))
    job.result(job.add_model("a" * 12))
    for path in job.files.glob("*.png"):
        with Image.open(path) as picture:
            shades = np.asarray(picture.convert("L"))
        assert 600 <= picture.width <= 2600 and picture.height <= 2600
        assert (shades == 255).mean() > 0.4, "a light background"
        assert 0.002 < (shades < 100).mean() < 0.5, "with something on it"


@pytest.mark.parametrize("quick", [False, True])
def test_drawings_of_none_of_the_labels_count_apart(tmp_path: Path, quick: bool) -> None:
    folder = tmp_path / "set"
    data = make_letters(folder, KANNADA, EACH, noise=0.9)
    job = Job(tmp_path, data)
    models = [FEW_SHOT, job.add_model("a" * 12)]
    before = job.result(*models, quick=True)["models"]
    assert [entry["unknown_drawings"] for entry in before] == [{"drawings": 0, "rejected": 0}] * 3
    add_strangers(folder, {Part.TRAIN: 4, Part.TEST: 10})
    few_shot, trained, ensemble = job.result(*models, quick=quick)["models"]
    assert [entry["accuracy"] for entry in (few_shot, trained, ensemble)] == [entry["accuracy"] for entry in before]
    assert few_shot["unknown_drawings"]["drawings"] == 10 and few_shot["unknown_drawings"]["rejected"] > 5
    assert few_shot["taught"]["drawings"] == 30
    assert trained["unknown_drawings"] == {"drawings": 10, "rejected": 0}, "this network cannot reject"


def add_strangers(folder: Path, counts: dict[Part, int]) -> None:
    """Add squares of dots to the data set in a folder, which have none of its labels."""
    rng, number = np.random.default_rng(1), sum(counts.values())
    added = {
        "rasters": np.where(rng.random((number, 64, 64)) < 0.3, np.uint8(255), np.uint8(0)),
        "labels": np.full(number, -1, np.int32),
        "parts": np.repeat(np.array(list(counts), np.uint8), list(counts.values())),
        "writers": np.full(number, -1, np.int32),
    }
    for name, values in added.items():
        path = folder / f"{name}.npy"
        np.save(path, np.concatenate([np.load(path), values]))


def test_labels_that_a_model_does_not_know_are_wrong_and_listed(job: Job) -> None:
    result = job.result(job.add_model("a" * 12, (*KANNADA[:4], "never drawn")))
    (entry,) = result["models"]
    assert entry["labels_not_known"] == {"count": 2, "drawings": 16, "labels": sorted(KANNADA[4:])}
    assert entry["labels"] == 5
    recalls = dict(zip(entry["per_class"]["label"], entry["per_class"]["recall"], strict=True))
    assert [recalls[label] for label in KANNADA[4:]] == [0, 0]
    assert "never drawn" not in recalls


def notes_of(result: dict[str, Any]) -> list[str]:
    """All notes but the one that depends on the fonts of this machine."""
    return [note for note in result["notes"] if not note.startswith("No installed font")]


def test_a_model_of_other_labels_is_measured_all_the_same(job: Job) -> None:
    result = job.result(job.add_model("a" * 12, ("x", "y")))
    assert result["models"][0]["accuracy"] == 0
    assert notes_of(result) == ["“model aaaaaaaaaaaa” knows no label of this data set."]


def test_the_validation_part_serves_where_there_is_no_test_part(tmp_path: Path) -> None:
    data = make_letters(tmp_path / "set", KANNADA, {Part.TRAIN: 3, Part.VALIDATION: 4})
    job = Job(tmp_path, data)
    result = job.result(job.add_model("a" * 12))
    assert (result["dataset"]["part"], result["dataset"]["drawings"]) == ("validation", 24)
    assert "validation part" in result["notes"][0]


def test_a_data_set_for_training_only_cannot_be_measured_with(tmp_path: Path) -> None:
    job = Job(tmp_path, make_letters(tmp_path / "set", KANNADA, {Part.TRAIN: 3}))
    with pytest.raises(Precondition, match="no test part") as caught:
        job.run(job.add_model("a" * 12))
    assert caught.value.reason == "DATASET_UNUSABLE"


def test_quick_is_the_accuracy_of_the_same_thousand(tmp_path: Path) -> None:
    names = KANNADA[:3]
    job = Job(tmp_path, make_letters(tmp_path / "set", names, {Part.TRAIN: 4, Part.TEST: 400}, noise=0.9))
    model = job.add_model("a" * 12)
    first, again = (job.result(model, quick=True) for _ in range(2))
    assert first == again
    (entry,) = first["models"]
    assert (entry["n"], first["dataset"]["drawings_in_part"]) == (QUICK_EVALUATION_DRAWINGS, 1200)
    is_correct = (
        predict_with_onnxruntime(model["folder"], job.data, Part.TEST).argmax(1)
        == job.data.labels[job.data.rows(Part.TEST)]
    )
    assert abs(entry["accuracy"] - is_correct.mean()) < 0.02
    assert not {"macro", "per_class", "milliseconds", "files"} & set(entry)
    assert [path.name for path in job.files.iterdir()] == ["evaluation_results.json"]


def test_several_are_measured_each_and_together(job: Job) -> None:
    models = [job.add_model("a" * 12), job.add_model("b" * 12, KANNADA[::-1], 4)]
    result = job.result(*models)
    truth = job.data.labels[job.data.rows(Part.TEST)]
    a = predict_with_onnxruntime(models[0]["folder"], job.data, Part.TEST)
    b = predict_with_onnxruntime(models[1]["folder"], job.data, Part.TEST, 4)[:, ::-1]
    together = (np.log(np.maximum(a, 1e-12)) + np.log(np.maximum(b, 1e-12))).argmax(1)
    by_id = {entry["model_id"]: entry for entry in result["models"]}
    assert list(by_id) == ["a" * 12, "b" * 12, "ensemble"]
    assert by_id["a" * 12]["accuracy"] == (a.argmax(1) == truth).mean()
    assert by_id["b" * 12]["accuracy"] == (b.argmax(1) == truth).mean()
    assert by_id["ensemble"]["accuracy"] == (together == truth).mean()
    assert by_id["ensemble"]["members"] == ["a" * 12, "b" * 12]
    assert by_id["b" * 12]["files"] == [f"{'b' * 12}_{name.partition('_')[2]}" for name in by_id["b" * 12]["files"]]
    assert (job.files / "ensemble_confusion_matrix.png").is_file()


def test_disagreements_are_counted_and_shown(job: Job) -> None:
    models = [job.add_model("a" * 12), job.add_model("b" * 12, side=4)]
    disagreements = job.result(*models)["disagreements"]
    sides = {"a" * 12: SIDE, "b" * 12: 4}
    rows = {
        m["model_id"]: predict_with_onnxruntime(m["folder"], job.data, Part.TEST, sides[m["model_id"]]).argmax(1)
        for m in models
    }
    differ = rows["a" * 12] != rows["b" * 12]
    assert disagreements["count"] == differ.sum() > 0
    assert disagreements["answers_of"] == ["a" * 12, "b" * 12, "ensemble"]
    assert len(disagreements["examples"]) == min(24, disagreements["count"])
    items = job.data.rows(Part.TEST)
    for example in disagreements["examples"]:
        (i,) = np.flatnonzero(items == example["item"])
        assert example["answers"][:2] == [KANNADA[rows["a" * 12][i]], KANNADA[rows["b" * 12][i]]]
        assert example["label"] == KANNADA[job.data.labels[example["item"]]]
    assert (job.files / "disagreements.png").is_file()


def test_models_without_a_common_label_are_no_ensemble(job: Job) -> None:
    result = job.result(job.add_model("a" * 12, KANNADA[:3]), job.add_model("b" * 12, KANNADA[3:]))
    assert [entry["model_id"] for entry in result["models"]] == ["a" * 12, "b" * 12]
    assert notes_of(result) == ["There is no ensemble: no label is known by all models."]


def test_models_that_always_agree_have_no_picture_of_disagreements(job: Job) -> None:
    disagreements = job.result(job.add_model("a" * 12), job.add_model("b" * 12))["disagreements"]
    assert (disagreements["count"], disagreements["examples"], disagreements["files"]) == (0, [], [])
    assert not (job.files / "disagreements.png").exists()


def test_models_are_shown_by_name_and_those_of_one_name_by_their_id_too(job: Job) -> None:
    ids = ["a" * 12, "b" * 12, "c" * 12]
    models = [
        job.add_model(i, side=side, name=name)
        for i, side, name in zip(ids, (16, 4, 8), ("ಕ್ಷ", "twin", "twin"), strict=True)
    ]
    result = job.result(*models)
    names = ["ಕ್ಷ", f"twin ({ids[1]})", f"twin ({ids[2]})"]
    assert [entry["shown_as"] for entry in result["models"]] == [*names, "all 3 together"]
    assert [entry["name"] for entry in result["models"][:3]] == ["ಕ್ಷ", "twin", "twin"]
    assert (result["models"][3]["members"], result["models"][3]["member_names"]) == (ids, names)
    disagreements = result["disagreements"]
    assert disagreements["answers_of_names"] == [*names, "all 3 together"] and disagreements["files"] == [
        "disagreements.png"
    ]
    drawn = {report["progress"]["message"] for report in job.reports if report["progress"]["stage"] == "drawing"}
    assert drawn == {*names, "all 3 together"}


def test_the_few_shot_head_is_taught_with_the_whole_training_part(tmp_path: Path) -> None:
    job = Job(tmp_path, make_letters(tmp_path / "set", KANNADA, EACH))
    result = job.result(FEW_SHOT, job.add_model("a" * 12))
    few_shot = result["models"][0]
    assert few_shot["taught"] == {"drawings": 30, "labels": 6, "fewest": 5, "median": 5.0, "most": 5}
    assert few_shot["accuracy"] > 0.9
    assert few_shot["milliseconds"] > 0
    assert [entry["model_id"] for entry in result["models"]] == ["few-shot", "a" * 12, "ensemble"]


def test_nothing_is_lost_on_the_way_to_clients(tmp_path: Path) -> None:
    """Every value of the result is one of the message's, as often as it is there."""
    job = Job(tmp_path, make_letters(tmp_path / "set", (*KANNADA, "x"), EACH))
    result = job.result(FEW_SHOT, job.add_model("a" * 12, KANNADA), job.add_model("b" * 12, KANNADA, 4))
    message = evaluation.result(result)
    shown = {"test": datasets.DATASET_PART_TEST}
    del result["format"], result["quick"], result["models"][-1]["rule"]
    for entry in result["models"]:
        del entry["macro"]["support"], entry["weighted"]["support"]  # the number of drawings again
        for pair in entry["confused_pairs"]:
            assert pair.pop("count") == pair["first_as_second"] + pair["second_as_first"]
    expected = Counter(shown.get(value, value) for value in leaves(result) if value not in (0, ""))
    assert expected - Counter(leaves(message)) == Counter() and expected.total() > 200


def leaves(value: Any) -> Iterator[Any]:
    """All numbers and texts in JSON values or in a message."""
    if isinstance(value, Message):
        value = [content for _, content in value.ListFields()]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (str, int, float)):
        yield value
    else:
        for entry in value:
            yield from leaves(entry)


def test_the_few_shot_head_needs_something_to_be_taught_with(tmp_path: Path) -> None:
    job = Job(tmp_path, make_letters(tmp_path / "set", KANNADA, {Part.TEST: 3}))
    with pytest.raises(Precondition, match="no training part"):
        job.run(FEW_SHOT)


def test_a_changed_network_is_refused(job: Job) -> None:
    model = job.add_model("a" * 12)
    path = Path(model["folder"]) / ONNX
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataLoss) as caught:
        job.run(model)
    assert caught.value.reason == "MODEL_DAMAGED"


def test_progress_names_stages_and_reaches_the_end_of_each(job: Job) -> None:
    job.result(FEW_SHOT)
    progress = [report["progress"] for report in job.reports]
    assert list(dict.fromkeys(p["stage"] for p in progress)) == ["teaching", "evaluating", "drawing"]
    for stage, total in (("teaching", 30), ("evaluating", 48), ("drawing", len(PLAIN))):
        steps = [(p["done"], p["total"]) for p in progress if p["stage"] == stage]
        assert steps[0] == (0, total) and steps[-1] == (total, total)
        assert steps == sorted(steps)


@pytest.mark.parametrize("asked", [1, 3, 6])
def test_it_stops_soon_after_it_is_cancelled(job: Job, asked: int) -> None:
    checks = iter(range(100))
    done = job.run(FEW_SHOT, job.add_model("a" * 12), cancelled=lambda: next(checks) >= asked)
    assert done == {"model": False, "cancelled": True, "result": {}}
    assert next(checks) == asked + 1
    assert not (job.files / "evaluation_results.json").exists()


def test_it_needs_no_torch() -> None:
    program = "import sys, haleganada_server.training.evaluation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
