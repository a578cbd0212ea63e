"""The result of a training job, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haleganada_client.cli.formatting import format_count, format_duration, format_percent, printable
from haleganada_client.cli.session import Session

if TYPE_CHECKING:
    from haleganada_client.training.jobs import Job, TrainingJob


def format_training(session: Session, job: Job) -> str:
    """Return how a training job ended, its best epoch, and what to do with the model."""
    training = job.training
    assert training is not None, "it is a training job"
    lines = [_describe_outcome(job, training)]
    if epochs := training.epochs:
        best = max(epochs, key=lambda epoch: (epoch.validation_accuracy, -epoch.validation_loss))
        duration = format_duration(sum(epoch.duration_seconds for epoch in epochs))
        accuracy = ""
        if best.validation_accuracy or best.validation_loss:  # else there is no validation part
            right = best.validation_accuracy
            share = f"CER {format_percent(1 - right)}" if training.reads_lines else format_percent(right)
            accuracy = f"best: {share} of the validation part, epoch {best.epoch}; "
        lines.append(f"{accuracy}{format_count(len(epochs), 'epoch')} in {duration}")
    if model_id := training.model_id:
        if training.reads_lines:
            read = session.command_line("read", "page.png", "--engine", f"model:{model_id}")
            lines.append(f"`{read}` reads with it")
        else:
            predict = session.command_line("predict", "--model", model_id, "drawing.png")
            lines.append(f"`{predict}` recognizes with it")
        evaluate = session.command_line("evaluate", model_id, "--data", training.dataset_id)
        lines.append(f"`{evaluate}` evaluates it")
    if job.files:
        download = session.command_line("jobs", "files", job.job_id, "--to", "FOLDER")
        lines.append(f"`{download}` downloads its curves and other files")
    return "\n".join(lines)


def _describe_outcome(job: Job, training: TrainingJob) -> str:
    name = printable(training.model_name)
    if job.state.value == "failed":
        return f"training {name} failed ({job.error_reason}): {printable(job.error)}"
    model = f"model {training.model_id}" if training.model_id else "no model"
    if job.state.value == "cancelled":
        return f"training {name} was cancelled; {model} was kept"
    return f"trained {name}: {model}"
