"""A job's process for tests that follows the protocol but learns nothing: python child.py REQUEST.json.

The model's name selects its behavior, the setting `epochs` the number of epochs. Its checkpoint is the number of its
last epoch.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from haleganada_server.core.models.card import ModelCard, Preprocessing
from haleganada_server.core.models.files import ONNX, WEIGHTS

EPOCH_S = 0.05
Request = dict[str, Any]


def report(**event: Any) -> None:
    """Write a report."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def listen(cancelled: threading.Event) -> None:
    """Set the event on “cancel”; exit when standard input ends."""
    for line in sys.stdin:
        if line.strip() == "cancel":
            cancelled.set()
    os._exit(7)


def learn(request: Request, cancelled: threading.Event, epoch_s: float = EPOCH_S) -> None:
    """Report epochs from the checkpoint on, then write a model."""
    folder, epochs = Path(request["folder"]), int(request["settings"].get("epochs", 3))
    checkpoint = folder / "checkpoint"
    begin = int(checkpoint.read_text()) + 1 if checkpoint.exists() else 1
    report(settings={"epochs": epochs, "batch_size": 8, "learning_rate": 1e-3, "augment": True})
    for epoch in range(1, begin):
        report(epoch=epoch_metrics(epoch))
    for epoch in range(begin, epochs + 1):
        report(progress={"stage": "training", "done": epoch - 1, "total": epochs, "eta_seconds": 1.5, "message": ""})
        time.sleep(epoch_s)
        (folder / "checkpoint.new").write_text(str(epoch))
        (folder / "checkpoint.new").replace(checkpoint)  # atomic
        report(epoch=epoch_metrics(epoch))
        if cancelled.is_set():
            break
    finish(request, cancelled)


def epoch_metrics(epoch: int) -> dict[str, float]:
    """Return invented metrics of an epoch."""
    accuracy = 1 - 0.5**epoch
    return {
        "epoch": epoch,
        "train_loss": 1 / epoch,
        "train_accuracy": accuracy,
        "validation_loss": 1.1 / epoch,
        "validation_accuracy": accuracy,
        "learning_rate": 1e-3,
        "seconds": EPOCH_S,
    }


def finish(request: Request, cancelled: threading.Event) -> None:
    """Write a file for people and a model folder, then report the end."""
    folder = Path(request["folder"])
    write_model(folder / "model", request)
    (folder / "files").mkdir(exist_ok=True)
    (folder / "files" / "training_history.json").write_text("{}")
    report(done={"model": True, "cancelled": cancelled.is_set(), "result": {}})


def write_model(folder: Path, request: Request) -> None:
    """Write a model folder with correct hashes but without a network."""
    folder.mkdir(exist_ok=True)
    network = b"not a network"
    for name in (ONNX, WEIGHTS):
        (folder / name).write_bytes(network)
    card = ModelCard(
        preset=request["preset"],
        name=request["name"],
        labels=tuple(request["dataset"]["labels"]),
        preprocessing=Preprocessing(32),
        temperature=1.0,
        parameters=10,
        created_us=time.time_ns() // 1000,
        dataset_name=request["dataset"]["name"],
        dataset_sha256=request["dataset"]["sha256"],
        sha256=dict.fromkeys((ONNX, WEIGHTS), hashlib.sha256(network).hexdigest()),
    )
    (folder / "model.json").write_text(card.to_json())


def ends(request: Request, cancelled: threading.Event) -> None:
    sys.stderr.write("Traceback (most recent call last):\nValueError: the cat sat on it\n")
    sys.exit(3)


def is_killed(request: Request, cancelled: threading.Event) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def is_killed_after_each_epoch(request: Request, cancelled: threading.Event) -> None:
    """Die after all epochs but the last."""
    checkpoint = Path(request["folder"]) / "checkpoint"
    before = int(checkpoint.read_text()) if checkpoint.exists() else 0
    if before + 1 < request["settings"]["epochs"]:
        report(epoch=epoch_metrics(before + 1))
        checkpoint.write_text(str(before + 1))
        is_killed(request, cancelled)
    learn(request, cancelled)


def is_killed_in_the_second_epoch(request: Request, cancelled: threading.Event) -> None:
    """Die every time; each start adds a letter to “starts”."""
    with (Path(request["folder"]) / "starts").open("a") as file:
        file.write("i")
    report(epoch=epoch_metrics(1))
    is_killed(request, cancelled)


def finishes_slowly(request: Request, cancelled: threading.Event) -> None:
    """Take a long time to finish after a cancel."""
    cancelled.wait()
    time.sleep(8)
    finish(request, cancelled)


def is_killed_when_cancelled(request: Request, cancelled: threading.Event) -> None:
    cancelled.wait()
    is_killed(request, cancelled)


def runs_out_of_memory(request: Request, cancelled: threading.Event) -> None:
    report(failed={"reason": "OUT_OF_MEMORY", "message": "there is too little memory; choose a smaller batch"})
    sys.exit(1)


def diverges(request: Request, cancelled: threading.Event) -> None:
    """Fail after a good epoch, and leave its model."""
    report(epoch=epoch_metrics(1))
    report(epoch={**epoch_metrics(2), "validation_loss": float("nan")})
    write_model(Path(request["folder"]) / "model", request)
    report(
        failed={
            "reason": "DIVERGED",
            "message": "the loss is not a number; choose a lower learning rate",
            "model": True,
        }
    )


def ignores_cancel(request: Request, cancelled: threading.Event) -> None:
    time.sleep(600)


INVALID_REPORTS: tuple[dict[str, Any], ...] = (
    {},
    {"epoch": "two"},
    {"progress": 7},
    {"progress": {"done": 1e300}},
    {"epoch": {"epoch": 1}},
    {"settings": 7},
    {"settings": [1]},
    {"settings": {"epochs": "two"}},
    {"settings": {"pace": 1}},
    {"settings": {"augment": "yes"}},
)


def prints_noise(request: Request, cancelled: threading.Event) -> None:
    """Print what is not a report, then work as usual."""
    sys.stdout.buffer.write(b"loading...\n\xff\xfe\x00\n[1, 2]\n{\n" + b"x" * (9 * 2**20) + b"\n")
    for entry in INVALID_REPORTS:
        report(**entry)
    learn(request, cancelled)


def floods(request: Request, cancelled: threading.Event) -> None:
    for i in range(20_000):
        report(progress={"stage": "training", "done": i, "total": 20_000})
    learn(request, cancelled)


def leaves_a_child(request: Request, cancelled: threading.Event) -> None:
    """Exit, but leave a child that keeps the output open."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    os._exit(5)


def breaks_its_model(request: Request, cancelled: threading.Event) -> None:
    write_model(Path(request["folder"]) / "model", request)
    (Path(request["folder"]) / "model" / ONNX).write_bytes(b"changed")
    report(done={"model": True, "cancelled": False, "result": {}})


def evaluate(request: Request, cancelled: threading.Event) -> None:
    files = Path(request["folder"]) / "files"
    files.mkdir(exist_ok=True)
    (files / "confusion_matrix.png").write_bytes(bytes(200_000))
    if len(request["models"]) > 1:
        for model in request["models"]:
            (files / f"{model['model_id']}_confusion_matrix.html").write_text("<script>alert(1)</script>")
    report(progress={"stage": "evaluating", "done": 1, "total": 1})
    report(done={"model": False, "cancelled": False, "result": make_result(request)})


def make_result(request: Request) -> dict[str, Any]:
    """Return the result of an evaluation, with invented metrics."""
    metrics = {
        "accuracy": 0.75,
        "accuracy_interval": [0.5, 0.9],
        "correct": 3,
        "n": 4,
        "labels": 2,
        "macro": {"precision": 0.8, "recall": 0.6, "f1-score": 0.7, "support": 4},
        "weighted": {"precision": 0.81, "recall": 0.61, "f1-score": 0.72, "support": 4},
        "milliseconds": 1.5,
    }
    worst = [{"label": "ಅ", "accuracy": 0.5, "correct": 1, "support": 2, "read_as": "a", "times": 1}]
    pairs = [{"labels": ["a", "ಅ"], "count": 4, "first_as_second": 1, "second_as_first": 3, "items": [[5], [6, 7]]}]
    errors = {"worst": worst, "confused_pairs": pairs, "labels_not_known": {"count": 0, "drawings": 0, "labels": []}}
    several = {
        "disagreements": {
            "count": 0,
            "share": 0.0,
            "some_right": 0.75,
            "answers_of": [model["model_id"] for model in request["models"]],
            "answers_of_names": [model["name"] for model in request["models"]],
            "examples": [],
            "files": [],
        }
    }
    return {
        "dataset": {"name": request["dataset"]["name"], "part": "test", "drawings": 4, "labels": 2},
        "models": [{**who, **metrics, **errors} for who in describe_models(request["models"])],
        "notes": [],
        **(several if len(request["models"]) > 1 else {}),
    }


def describe_models(models: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Describe the models of a result, with the files of each if there are several."""
    names = [model["name"] for model in models]
    several = len(models) > 1
    return [
        {
            "model_id": model["model_id"],
            "name": name,
            "shown_as": f"{name} ({model['model_id']})" if names.count(name) > 1 else name,
            **({"files": [f"{model['model_id']}_confusion_matrix.html"]} if several else {}),
        }
        for model, name in zip(models, names, strict=True)
    ]


BEHAVIORS: dict[str, Callable[[Request, threading.Event], None]] = {
    "ends": ends,
    "is killed": is_killed,
    "is killed after each epoch": is_killed_after_each_epoch,
    "is killed in the second epoch": is_killed_in_the_second_epoch,
    "is killed when cancelled": is_killed_when_cancelled,
    "finishes slowly": finishes_slowly,
    "runs out of memory": runs_out_of_memory,
    "diverges": diverges,
    "ignores cancel": ignores_cancel,
    "prints_noise": prints_noise,
    "floods": floods,
    "leaves a child": leaves_a_child,
    "breaks its model": breaks_its_model,
}


def main() -> None:
    request: Request = json.loads(Path(sys.argv[1]).read_text())
    cancelled = threading.Event()
    threading.Thread(target=listen, args=(cancelled,), daemon=True).start()
    if request["kind"] == "evaluation":
        evaluate(request, cancelled)
    else:
        BEHAVIORS.get(request["name"], learn)(request, cancelled)
    os._exit(0)


if __name__ == "__main__":
    main()
