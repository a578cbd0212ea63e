"""Models trained on whole data sets, and the few-shot head on the same drawings.

    python -m tests.bench.models.datasets [--quick] [--only TEXT] [--json FILE]

Needs HALEGANADA_DATA, and for the server process a Python with the train extra (--python). Everything goes through the
API, and jobs run at their usual priority.
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
    "data set", "preset", "labels", "training drawings", "epochs", "time an epoch", "accuracy (95 %)", "n", "target",
    "few-shot", "float32", "int8", "accuracy, int8 against float32",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Result of a trial. accuracy: on the test part, 0..1. few_shot: None if not measured. export: the report of
    ExportModel, measured on validation drawings.
    """

    trial: str
    preset: str
    labels: int
    training_drawings: int
    epochs: int
    epoch_seconds: float
    accuracy: float
    interval: tuple[float, float]
    tested: int
    target: float
    few_shot: float | None
    export: ExportReport

    def cells(self) -> tuple[str, ...]:
        """Return the cells of its row."""
        float32, int8 = self.export.float32, self.export.int8
        assert float32 is not None and int8 is not None
        low, high = self.interval
        return (
            self.trial,
            self.preset,
            f"{self.labels}",
            f"{self.training_drawings:,}",
            f"{self.epochs}",
            f"{self.epoch_seconds:.0f} s",
            f"{_percent(self.accuracy)} ({100 * low:.1f} to {100 * high:.1f})",
            f"{self.tested:,}",
            f"≥ {_percent(self.target)}" if self.target else "",
            "" if self.few_shot is None else _percent(self.few_shot),
            *(f"{metrics.size_bytes / 1e6:.1f} MB, {metrics.latency_ms:.1f} ms" for metrics in (float32, int8)),
            f"{100 * (int8.accuracy - float32.accuracy):+.1f} points, n = {self.export.samples:,}",
        )


def measure(client: HaleganadaClient, trial: Trial, dataset: Dataset, folder: Path) -> Outcome:
    """Train, evaluate and export. Raises RuntimeError if a job fails."""
    settings = TrainingSettings(epochs=trial.epochs)
    job = client.jobs.start_training(trial.preset, dataset.dataset_id, name=trial.name, settings=settings)
    trained = _wait_for(client, job).training
    assert trained is not None
    models = [trained.model_id, *([FEW_SHOT] if trial.few_shot else [])]
    evaluation = _wait_for(client, client.jobs.start_evaluation(models, dataset.dataset_id)).evaluation
    assert evaluation is not None and evaluation.result is not None
    by_id = {model.model_id: model for model in evaluation.result.models}
    own = by_id[trained.model_id]
    report = client.models.export(trained.model_id, folder / "model.int8.onnx", "int8").report
    assert own.accuracy_interval is not None and report is not None
    seconds = sorted(epoch.duration_seconds for epoch in trained.epochs)
    return Outcome(
        trial=trial.name,
        preset=trial.preset,
        labels=dataset.labels_total,
        training_drawings=dataset.train,
        epochs=len(trained.epochs),
        epoch_seconds=seconds[len(seconds) // 2],
        accuracy=own.accuracy,
        interval=(own.accuracy_interval.low, own.accuracy_interval.high),
        tested=evaluation.result.dataset.drawings,
        target=trial.target,
        few_shot=by_id[FEW_SHOT].accuracy if trial.few_shot else None,
        export=report,
    )


def run(client: HaleganadaClient, trials: list[Trial], data: Path, folder: Path) -> list[Outcome]:
    """Run all trials in sequence; each data set is uploaded once."""
    table = Table("Models trained on data sets", COLUMNS)
    uploaded: dict[str, Dataset] = {}
    outcomes = []
    for trial in trials:
        if trial.name not in uploaded:
            uploaded[trial.name] = client.datasets.upload(trial.file(data, folder), name=trial.name)
        outcomes.append(measure(client, trial, uploaded[trial.name], folder))
        table.add(*outcomes[-1].cells())
    print(table.markdown())
    return outcomes


def _wait_for(client: HaleganadaClient, job: Job) -> Job:
    for update in client.jobs.watch(job.job_id):
        job = update
    if job.state is not JobState.SUCCEEDED:
        raise RuntimeError(f"{job.kind} {job.state.value}: {job.error}")
    return job


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="Python that runs the server and its jobs")
    parser.add_argument("--quick", action="store_true", help=f"train {QUICK_EPOCHS} epochs each, as a check")
    parser.add_argument("--only", default="", help='run only trials whose "DATA SET, PRESET" contains this text')
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    options = parser.parse_args()
    data = os.environ.get("HALEGANADA_DATA")
    if not data:
        sys.exit("set HALEGANADA_DATA to the folder of the data sets")
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
