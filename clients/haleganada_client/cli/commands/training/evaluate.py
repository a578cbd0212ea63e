"""evaluate: measure models on a data set."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.files.job_files import download_job_files
from haleganada_client.cli.files.overwriting import overwrite_option, require_empty
from haleganada_client.cli.formatting import format_count
from haleganada_client.cli.output.evaluation_report import describe_written_files, format_evaluation
from haleganada_client.cli.output.job_progress import describe_detached, watch_until_over
from haleganada_client.cli.session import Session, with_session
from haleganada_client.limits import QUICK_EVALUATION_DRAWINGS

from .dataset_lookup import resolve_dataset


@click.command("evaluate")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--data", "dataset", required=True, metavar="NAME", help="The data set, by its id or name.")
@click.option(
    "--quick", is_flag=True, help=f"Only measure the accuracy, on at most {QUICK_EVALUATION_DRAWINGS:,} drawings."
)
@click.option("--detach", is_flag=True, help="Start the job and do not wait for it.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Save the report's files here."
)
@overwrite_option
@with_session
def evaluate_command(
    session: Session,
    models: tuple[str, ...],
    dataset: str,
    quick: bool,
    detach: bool,
    out: Path | None,
    overwrite: bool,
) -> None:
    """Evaluate models on the test part of a data set: each model, and how far they agree.

    A MODEL is an id, a name, or few-shot: the embedder and head, taught with the training part.

    DIR will contain evaluation_results.json and, unless --quick is given, for each model: classification_report.json,
    the confusion matrix (.png, .npz, and .html to zoom into with a browser), class_accuracy.png and confused_pairs.png.
    With several models, the names of files start with the model's id, and disagreements.png shows where models differ.

    The exit code is 1 if the evaluation failed or was cancelled.

    \b
    haleganada evaluate mine --data digits --out report/
    haleganada evaluate mine few-shot --data digits
    """
    if detach and out is not None:
        raise click.UsageError("--out needs the finished job; leave out --detach or --out")
    require_empty(out, overwrite)  # an evaluation takes long, and its files are known only then
    with session.client() as client:
        job = client.jobs.start_evaluation(models, resolve_dataset(client, dataset), quick=quick)
        if not detach:
            job = watch_until_over(session, client, job)
        paths = download_job_files(client, job, out, overwrite=overwrite) if out is not None else []
    text = [describe_detached(session, job) if detach else format_evaluation(job), *describe_written_files(job, paths)]
    if job.files and out is None:
        download = session.command_line("jobs", "files", job.job_id, "--to", "FOLDER")
        text.append(f"\n`{download}` downloads {format_count(len(job.files), 'file')}")
    session.show(job, "\n".join(text))
    if not detach and job.state.value != "succeeded":
        sys.exit(ExitCode.FAILURE)
