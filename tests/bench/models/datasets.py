"""Models trained on whole data sets, beside the few-shot head with the same drawings: python -m
tests.bench.models.datasets [--quick] [--only TEXT] [--json FILE].

Needs HALEGANADA_DATA, and a Python with the train extra for the server (--python), which is a process of its own;
everything goes through its API, and jobs train at the priority that they have for users.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from haleganada_client import Dataset, ExportReport, HaleganadaClient, Job, JobState, TrainingSettings

from tests.bench.models.dataset_trials import TRIALS, Trial
from tests.bench.table import Table
from tests.e2e.processes import start_process

QUICK_EPOCHS = 2
FEW_SHOT = "few-shot"
COLUMNS = (
    "data set", "preset", "labels", "trained on", "epochs", "an epoch", "accuracy (95 %)", "n", "target", "few-shot",
    "float32", "int8", "int8 changes accuracy by",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What one trial gave. accuracy: of the test part, 0..1; few_shot: None if it was not measured. export: as
    ExportModel tells it, of validation drawings.
    """

    trial: str
    preset: str
    labels: int
    trained_on: int
    epochs: int
    epoch_seconds: float
    accuracy: float
    interval: tuple[float, float]
    tested: int
    target: float
    few_shot: float | None
    export: ExportReport

    def cells(self) -> tuple[str, ...]:
        """Of the table."""
        plain, small = self.export.float32, self.export.int8
        assert plain is not None and small is not None
        low, high = self.interval
        return (
            self.trial,
            self.preset,
            f"{self.labels}",
            f"{self.trained_on:,}",
            f"{self.epochs}",
            f"{self.epoch_seconds:.0f} s",
            f"{_percent(self.accuracy)} ({100 * low:.1f} to {100 * high:.1f})",
            f"{self.tested:,}",
            f"≥ {_percent(self.target)}" if self.target else "",
            "" if self.few_shot is None else _percent(self.few_shot),
            *(f"{form.size_bytes / 1e6:.1f} MB, {form.latency_ms:.1f} ms" for form in (plain, small)),
            f"{100 * (small.accuracy - plain.accuracy):+.1f} points, n = {self.export.samples:,}",
        )


def measure(client: HaleganadaClient, trial: Trial, dataset: Dataset, folder: Path) -> Outcome:
    """Train, measure and export. Raises RuntimeError for a job that failed."""
    settings = TrainingSettings(epochs=trial.epochs)
    asked = client.jobs.start_training(trial.preset, dataset.dataset_id, name=trial.name, settings=settings)
    trained = _ended(client, asked).training
    assert trained is not None
    models = [trained.model_id, *([FEW_SHOT] if trial.few_shot else [])]
    evaluation = _ended(client, client.jobs.start_evaluation(models, dataset.dataset_id)).evaluation
    assert evaluation is not None and evaluation.result is not None
    by_id = {model.model_id: model for model in evaluation.result.models}
    own = by_id[trained.model_id]
    report = client.models.export(trained.model_id, folder / "model.int8.onnx", "int8").report
    assert own.accuracy_interval is not None and report is not None
    seconds = sorted(epoch.duration_seconds for epoch in trained.epochs)
    return Outcome(
        trial.name,
        trial.preset,
        dataset.labels_total,
        dataset.train,
        len(trained.epochs),
        seconds[len(seconds) // 2],
        own.accuracy,
        (own.accuracy_interval.low, own.accuracy_interval.high),
        evaluation.result.dataset.drawings,
        trial.target,
        by_id[FEW_SHOT].accuracy if trial.few_shot else None,
        report,
    )


def run(client: HaleganadaClient, trials: list[Trial], data: Path, folder: Path) -> list[Outcome]:
    """All trials, one after another; each data set is sent once."""
    table = Table("Models trained on data sets", COLUMNS)
    sent: dict[str, Dataset] = {}
    outcomes = []
    for trial in trials:
        if trial.name not in sent:
            sent[trial.name] = client.datasets.upload(trial.file(data, folder), name=trial.name)
        outcomes.append(measure(client, trial, sent[trial.name], folder))
        table.add(*outcomes[-1].cells())
    print(table.markdown())
    return outcomes


def _ended(client: HaleganadaClient, job: Job) -> Job:
    for now in client.jobs.watch(job.job_id):
        job = now
    if job.state is not JobState.SUCCEEDED:
        raise RuntimeError(f"{job.kind} {job.state.value}: {job.error}")
    return job


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="what runs the server, and its jobs")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EPOCHS} epochs each, to see that it works")
    parser.add_argument("--only", default="", help="only trials whose data set, with its preset, contains this")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    data = os.environ.get("HALEGANADA_DATA")
    if not data:
        sys.exit("set HALEGANADA_DATA to the folder with the data sets")
    chosen = [trial for trial in TRIALS if options.only in f"{trial.name}, {trial.preset}"]
    with tempfile.TemporaryDirectory() as folder:
        where = ["--listen", "127.0.0.1:0", "--data", str(Path(folder) / "data")]
        server = start_process([options.python, "-m", "haleganada_server", "serve", *where])
        try:
            with server.client() as client:
                trials = [replace(t, epochs=QUICK_EPOCHS) for t in chosen] if options.quick else chosen
                outcomes = run(client, trials, Path(data), Path(folder))
        finally:
            server.stop()
    if options.json:
        options.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
