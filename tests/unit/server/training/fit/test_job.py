"""A training job as a process: its reports, its files, and how it ends when it is killed or cancelled, when the server
is gone, or when the disk is full.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import Precondition
from haleganada_server.core.jobs.events import apply_settings
from haleganada_server.core.jobs.job import Epoch, Job, JobKind, JobState
from haleganada_server.core.jobs.ports import CHECKPOINTS
from haleganada_server.core.models.card import ModelCard
from haleganada_server.training.common.job_channel import ABANDONED
from haleganada_server.training.common.process_group import ProcessGroup
from haleganada_server.training.export.model_files import read_model
from haleganada_server.training.fit.reports import recorder
from haleganada_server.training.fit.run import run_training
from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.online.initial_model import load_initial_model
from haleganada_server.training.presets import get_preset
from haleganada_server.vision import model_input
from safetensors import safe_open

from tests.unit.server.training.fit.conftest import JobRun, Request
from tests.unit.server.training.toy_dataset import write_dataset

Start = Callable[..., JobRun]
RequestFor = Callable[..., Request]


def run_in_process(request: Request, cancel_after: int = 10**6) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a job in this process; return its result and all reports. cancel_after: number of epochs."""
    lines: list[dict[str, Any]] = []

    def cancelled() -> bool:
        return sum("epoch" in line for line in lines) >= cancel_after

    return run_training(request, lines.append, cancelled, ProcessGroup(torch.device("cpu"))), lines


def read_epochs(folder: str) -> list[dict[str, Any]]:
    """Return the history on disk, without the times."""
    history = json.loads((Path(folder) / "files/training_history.json").read_text())
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history["epochs"]]


def test_a_training_leaves_a_complete_model_and_files(request_for: RequestFor) -> None:
    request = request_for(epochs=6, learning_rate=3e-3)
    done, lines = run_in_process(request)
    assert done == {"model": True, "cancelled": False, "result": {}}
    job = Path(request["folder"])
    assert {p.name for p in (job / "files").iterdir()} == {
        "training_history.json", "training_history.png", "class_mapping.json",
        "final_model.safetensors", "best_model.safetensors",
    }  # fmt: skip
    assert {p.name for p in (job / "model").iterdir()} == {
        "model.json", "model.safetensors", "model.onnx", "model.int8.onnx", "export.json", "training_history.json",
    }  # fmt: skip
    assert json.loads((job / "files/class_mapping.json").read_text()) == {"0": "I", "1": "O", "2": "X"}
    assert [Epoch(**line["epoch"]).epoch for line in lines if "epoch" in line] == [1, 2, 3, 4, 5, 6]
    steps = [line["progress"] for line in lines if line.get("progress", {}).get("stage") == "training"]
    assert steps[-1]["done"] == steps[-1]["total"] == 18
    assert [line["progress"]["stage"] for line in lines if "progress" in line][-2:] == ["measuring", "exporting"]


def test_the_file_of_the_best_state_describes_its_tensors(request_for: RequestFor) -> None:
    request = request_for(epochs=6, learning_rate=3e-3)
    run_in_process(request)
    with safe_open(Path(request["folder"]) / "files/best_model.safetensors", "pt") as file:
        about, tensors = json.loads(file.metadata()["haleganada"]), {n: file.get_tensor(n) for n in file.keys()}  # noqa: SIM118
    network = get_preset(about["preset"]).build(len(about["labels"]), about["options"], None)
    network.load_state_dict(tensors)
    model, card = read_model(Path(request["folder"]) / "model")
    assert tuple(about["labels"]) == card.labels
    ink = torch.rand(2, 1, card.preprocessing.side, card.preprocessing.side)
    assert torch.equal(network.eval()(ink), model(ink))


def test_a_model_that_can_learn_online_keeps_some_of_its_drawings(request_for: RequestFor) -> None:
    request = {**request_for(epochs=1), "preset": "cnn36"}
    run_in_process(request)
    folder = Path(request["folder"]) / "model"
    memory = load_initial_model(folder).exemplars
    assert Counter(sample.label for sample in memory) == {"I": 8, "O": 8, "X": 8}
    trained = np.load(Path(request["dataset"]["folder"]) / "rasters.npy")[:36]
    assert all((trained == sample.raster).all((1, 2)).any() for sample in memory)


def test_the_model_is_the_best_state_and_says_how_good_it_is(request_for: RequestFor) -> None:
    request = request_for(epochs=6, learning_rate=3e-3)
    run_in_process(request)
    network, card = read_model(Path(request["folder"]) / "model")
    best = max(read_epochs(request["folder"]), key=lambda e: (e["validation_accuracy"], -e["validation_loss"]))
    assert card.metrics["validation_accuracy"] == best["validation_accuracy"]
    assert card.training["best_epoch"] == best["epoch"] and card.training["seed"] == 0
    assert card.labels == ("I", "O", "X") and card.dataset_sha256 == "5" * 64 and not network.training
    rasters = np.load(Path(request["dataset"]["folder"]) / "rasters.npy")[-12:]  # the test part
    session = onnxruntime.InferenceSession(str(Path(request["folder"]) / "model/model.onnx"))
    ink = rasters.reshape(12, 1, 32, 2, 32, 2).mean((3, 5)).astype(np.float32) / 255
    answers = session.run(["probabilities"], {"ink": ink})[0].argmax(1)
    assert (answers == np.arange(12) % 3).mean() == card.metrics["test_accuracy"]


def test_a_killed_training_resumes_with_the_same_result(request_for: RequestFor, start: Start) -> None:
    whole = request_for("whole", epochs=6, checkpoint_every=2)
    run_in_process(whole)
    broken = request_for("broken", epochs=6, checkpoint_every=2)
    start(broken).read_until("epoch", 3).kill()
    resumed = start(broken)
    assert resumed.wait_for_end() == {"done": {"model": True, "cancelled": False, "result": {}}}, resumed.errors
    assert [line["epoch"]["epoch"] for line in resumed.lines if "epoch" in line] == [1, 2, 3, 4, 5, 6]
    assert read_epochs(broken["folder"]) == read_epochs(whole["folder"])
    for file in ("files/final_model.safetensors", "model/model.safetensors"):
        assert (Path(broken["folder"]) / file).read_bytes() == (Path(whole["folder"]) / file).read_bytes()


def test_a_cancelled_training_keeps_the_best_so_far(request_for: RequestFor, start: Start) -> None:
    request = request_for(epochs=10_000)
    run = start(request).read_until("epoch", 2)
    run.write("cancel\n")
    assert run.wait_for_end() == {"done": {"model": True, "cancelled": True, "result": {}}}, run.errors
    assert run.process.returncode == 0
    card = ModelCard.from_json((Path(request["folder"]) / "model/model.json").read_bytes())
    assert "validation_accuracy" in card.metrics and "test_accuracy" not in card.metrics, (
        "the test part is skipped, to end soon"
    )


def test_a_training_that_diverges_keeps_the_best_so_far(request_for: RequestFor, start: Start) -> None:
    """The first epoch trains only the last layer, whose weights stay finite; the second trains all of them."""
    request = request_for(epochs=5, batch_size=36, learning_rate=1e20, frozen_epochs=1)
    run = start(request)
    failed = run.wait_for_end()["failed"]
    assert failed["reason"] == "DIVERGED" and failed["model"] is True, run.errors
    assert "lower learning rate" in failed["message"] and "epoch 1 is kept" in failed["message"]
    assert [epoch["epoch"] for epoch in read_epochs(request["folder"])] == [1]
    _, card = read_model(Path(request["folder"]) / "model")
    assert card.training["best_epoch"] == 1 and "test_accuracy" in card.metrics


def test_a_training_that_diverges_at_once_has_no_model(request_for: RequestFor, start: Start) -> None:
    request = request_for(learning_rate=1e30)
    failed = start(request).wait_for_end()["failed"]
    assert failed["reason"] == "DIVERGED" and "model" not in failed
    assert not (Path(request["folder"]) / "model").exists()


def test_cancelled_before_the_first_epoch_is_over_there_is_no_model(request_for: RequestFor) -> None:
    request = request_for()
    assert run_in_process(request, cancel_after=0)[0] == {"model": False, "cancelled": True, "result": {}}
    assert not (Path(request["folder"]) / "model").exists()


def test_it_exits_when_the_server_is_gone(request_for: RequestFor, start: Start) -> None:
    request = request_for(epochs=10_000)
    run = start(request).read_until("epoch", 2)
    assert run.process.stdin
    run.process.stdin.close()
    assert run.process.wait(30) == ABANDONED
    assert list(Path(request["folder"]).glob(CHECKPOINTS))


def test_a_full_disk_is_reported_and_the_earlier_checkpoint_stays(request_for: RequestFor, start: Start) -> None:
    """Limit the size of files to one byte less than a checkpoint."""
    request = request_for(epochs=1)
    run_in_process(request)
    first = Path(request["folder"]) / "checkpoint-000001.safetensors"
    content, limit = first.read_bytes(), first.stat().st_size - 1
    request["settings"]["epochs"] = 2
    run = start(request, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    failed = run.wait_for_end()["failed"]
    assert failed["reason"] == "DISK_FULL" and "free some" in failed["message"]
    assert run.process.returncode == 0
    assert first.read_bytes() == content and not list(Path(request["folder"]).glob("*.tmp"))


@pytest.mark.slow
def test_too_large_a_batch_is_reported_with_a_smaller_one(
    request_for: RequestFor, start: Start, tmp_path: Path
) -> None:
    """With 2 GiB of memory, which ResNet-18 fills with about 200 drawings at a time."""
    request = {**request_for(epochs=1, batch_size=600), "preset": "resnet18"}
    request["dataset"] = write_dataset(tmp_path / "many", {Part.TRAIN: 200})
    run = start(request, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (2**31, 2**31)))
    failed = run.wait_for_end()["failed"]
    assert failed["reason"] == "OUT_OF_MEMORY" and "batch of 300" in failed["message"]


@pytest.mark.parametrize("classes, train", [(1, 9), (3, 0)])
def test_a_data_set_without_two_trained_labels_is_refused(
    request_for: RequestFor, tmp_path: Path, classes: int, train: int
) -> None:
    request = request_for()
    request["dataset"] = write_dataset(tmp_path / "poor", {Part.TRAIN: train, Part.TEST: 3}, classes)
    with pytest.raises(Precondition, match="training part") as caught:
        run_in_process(request)
    assert caught.value.reason == "DATASET_UNUSABLE"


@pytest.mark.parametrize("damage", ["cut", "shorter", "unknown label"])
def test_damaged_arrays_are_reported(request_for: RequestFor, damage: str) -> None:
    request = request_for()
    path = Path(request["dataset"]["folder"]) / "labels.npy"
    labels = np.load(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-4])
    else:
        np.save(path, labels[:-1] if damage == "shorter" else np.where(labels == 2, np.int32(3), labels))
    with pytest.raises(Precondition, match="damaged") as caught:
        run_in_process(request)
    assert caught.value.reason == "DATASET_UNUSABLE"


def test_what_libraries_print_is_not_taken_for_a_report(request_for: RequestFor, start: Start, tmp_path: Path) -> None:
    (tmp_path / "chatty.py").write_text(
        "import os, sys, runpy\n"
        "sys.argv = sys.argv[1:]\n"
        "import haleganada_server.training.common.training_data as module\n"
        "read = module.read_dataset\n"
        "def loud(entry):\n"
        "    print('from Python'); os.write(1, b'from C\\n')\n"
        "    return read(entry)\n"
        "module.read_dataset = loud\n"
        "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)\n"
    )
    run = start(request_for(epochs=1), python=[sys.executable, str(tmp_path / "chatty.py")])
    assert "done" in run.wait_for_end()
    assert "from Python" in run.errors and "from C" in run.errors


def test_without_a_validation_part_it_says_so(request_for: RequestFor, tmp_path: Path) -> None:
    request = request_for(epochs=2)
    request["dataset"] = write_dataset(tmp_path / "unsplit", {Part.TRAIN: 6})
    done, lines = run_in_process(request)
    assert done["model"]
    assert any("no validation part" in line["progress"]["message"] for line in lines if "progress" in line)
    card = ModelCard.from_json((Path(request["folder"]) / "model/model.json").read_bytes())
    assert card.training["best_epoch"] == 2 and "validation_accuracy" not in card.metrics and card.temperature == 1


def test_drawings_of_none_of_the_labels_teach_what_is_unknown(request_for: RequestFor, tmp_path: Path) -> None:
    request = request_for(epochs=6, learning_rate=3e-3)
    each = {Part.TRAIN: 12, Part.VALIDATION: 12, Part.TEST: 4}
    request["dataset"] = write_dataset(tmp_path / "with dots", each, unknown=20)
    _, lines = run_in_process(request)
    said = [line["progress"]["message"] for line in lines if "progress" in line]
    assert any(message.startswith("40 drawings of none of the labels decide") for message in said)
    model = Path(request["folder"]) / "model"
    card = ModelCard.from_json((model / "model.json").read_bytes())
    assert card.labels == ("I", "O", "X") and card.metrics["test_accuracy"] == 1
    session = onnxruntime.InferenceSession(str(model / "model.onnx"))
    rasters, labels = (np.load(tmp_path / f"with dots/{name}.npy") for name in ("rasters", "labels"))
    (unknown,) = session.run(["unknown"], {"ink": model_input(rasters, card.preprocessing.side)})
    assert ((unknown >= 0.5) == (labels == -1)).mean() > 0.97


def test_too_few_drawings_of_none_of_the_labels_are_told(request_for: RequestFor, tmp_path: Path) -> None:
    request = request_for(epochs=1)
    request["dataset"] = write_dataset(tmp_path / "few", {Part.TRAIN: 6, Part.VALIDATION: 6}, unknown=3)
    _, lines = run_in_process(request)
    assert any("6 drawings of none of the labels are too few" in str(line.get("progress")) for line in lines)


def test_two_processes_train_one_model(request_for: RequestFor, start: Start) -> None:
    request = request_for(epochs=2, batch_size=6)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    run = start(request, python=torchrun)
    assert run.wait_for_end() == {"done": {"model": True, "cancelled": False, "result": {}}}, run.errors
    assert [line["epoch"]["epoch"] for line in run.lines if "epoch" in line] == [1, 2]
    assert read_model(Path(request["folder"]) / "model")[1].labels == ("I", "O", "X")


def test_the_settings_that_are_used_are_reported_first(request_for: RequestFor) -> None:
    request = request_for(epochs=2)
    _, (first, *rest) = run_in_process(request)
    assert not any("settings" in line for line in rest)
    used, asked = first["settings"], request["settings"]
    assert set(used) == {field.name for field in dataclasses.fields(TrainingSettings)} and used.items() >= asked.items()
    assert used["mixed_precision"] is False and used["batch_size"] > 0 and used["schedule"] == "cosine"
    job = apply_settings(
        Job(job_id="0" * 12, kind=JobKind.TRAINING, state=JobState.RUNNING, created_us=1, request={}), used
    )
    assert job.settings == used, "the server accepts them"


def test_other_settings_do_not_resume_from_a_checkpoint(request_for: RequestFor) -> None:
    request = request_for(epochs=1)
    run_in_process(request)
    shutil.rmtree(Path(request["folder"]) / "model")
    request["settings"]["seed"] = 1
    _, lines = run_in_process(request)
    assert [line["epoch"]["epoch"] for line in lines if "epoch" in line] == [1]


def test_tensorboard_is_optional(request_for: RequestFor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "is_tensorboard_installed", lambda: False)
    request = request_for(epochs=1, tensorboard=True)
    _, lines = run_in_process(request)
    assert not list((Path(request["folder"]) / "files").glob("events.out.tfevents*"))
    assert any("-e '.[tensorboard]'" in line["progress"]["message"] for line in lines if "progress" in line)


def test_tensorboard_shows_what_the_history_holds(request_for: RequestFor) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    request = request_for(epochs=3, tensorboard=True)
    _, lines = run_in_process(request)
    shown = accumulator.EventAccumulator(str(Path(request["folder"]) / "files")).Reload()
    losses = [line["epoch"]["train_loss"] for line in lines if "epoch" in line]
    assert [event.value for event in shown.Scalars("loss/train")] == pytest.approx(losses)
    assert [event.step for event in shown.Scalars("accuracy/validation")] == [1, 2, 3]


def test_an_error_says_where_to_get_missing_pretrained_weights(request_for: RequestFor, tmp_path: Path) -> None:
    request = {**request_for(), "preset": "resnet18-imagenet", "backbone_weights": [str(tmp_path / "none.pth")]}
    with pytest.raises(Precondition) as caught:
        run_in_process(request)
    assert caught.value.reason.startswith("BACKBONE_WEIGHTS") and "--backbone-weights" in caught.value.message


def test_reports_have_the_fields_of_the_core(request_for: RequestFor) -> None:
    _, lines = run_in_process(request_for(epochs=1))
    assert {key for line in lines for key in line} == {"settings", "progress", "epoch"}
    assert set(lines[-1]["progress"]) == {"stage", "done", "total", "eta_seconds", "message"}
    entry = next(line["epoch"] for line in lines if "epoch" in line)
    assert set(entry) == {f.name for f in dataclasses.fields(Epoch)}
