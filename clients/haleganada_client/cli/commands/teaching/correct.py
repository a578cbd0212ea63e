"""correct and undo."""

from __future__ import annotations

import click

from haleganada_client.cli.formatting import format_count
from haleganada_client.cli.output.changed_text import warn_if_text_changes
from haleganada_client.cli.output.online_learning import describe_relearning, warn_if_not_learned
from haleganada_client.cli.output.taught_sample import describe_taught
from haleganada_client.cli.session import Session, with_session


@click.command("correct")
@click.argument("prediction_id")
@click.argument("label")
@click.option("--variant-of", default="", metavar="LABEL", help="The label that this one is a form of.")
@with_session
def correct_command(session: Session, prediction_id: str, label: str, variant_of: str) -> None:
    """Correct an earlier prediction: teach its drawing with the right LABEL.

    `haleganada predict` prints the PREDICTION_ID.
    """
    with session.client() as client:
        correction = client.correct(prediction_id, label, variant_of=variant_of)
        warning = warn_if_not_learned(session, client)
    if variant_of:
        warn_if_text_changes(session, correction.taught.label, correction.taught.canonical)
    text = f"{describe_taught(correction.taught)}; the prediction was {correction.predicted or 'unknown'}"
    session.show(correction, "\n".join([text, *warning]))


@click.command("undo")
@click.option("--batch", is_flag=True, help="Undo everything that the last command changed, if it was several changes.")
@click.option(
    "--revision", type=int, metavar="N", help="Undo only what made revision N; refuse if anything came after."
)
@with_session
def undo_command(session: Session, batch: bool, revision: int | None) -> None:
    """Undo the last change: train, correct, relabel, forget, link or unlink. Repeat it to go further back.

    A command that changes several samples makes a batch of changes, for example `train --folder`. --batch undoes the
    batch that the last change belongs to. The last change may be somebody else's. The undo command that other commands
    print names a revision, and undoes nothing else.
    """
    with session.client() as client:
        undone = client.undo(whole_batch=batch, expected_revision=revision)
        relearning = describe_relearning(session, client)
    sample = f" (sample {undone.sample_id})" if undone.sample_id else ""
    text = f"undone: {undone.kind} {undone.label}{sample}"
    if batch:
        text = f"undone: a batch of {format_count(undone.changes, 'change')}"
    session.show(undone, "\n".join([text, *relearning]))
