"""correct and undo."""

from __future__ import annotations

import click

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
    text = f"{describe_taught(correction.taught)}; the prediction was {correction.predicted or 'unknown'}"
    session.show(correction, "\n".join([text, *warning]))


@click.command("undo")
@with_session
def undo_command(session: Session) -> None:
    """Undo the last change: train, correct, relabel, forget, link or unlink. Repeat it to go further back."""
    with session.client() as client:
        undone = client.undo()
        relearning = describe_relearning(session, client)
    sample = f" (sample {undone.sample_id})" if undone.sample_id else ""
    session.show(undone, "\n".join([f"undone: {undone.kind} {undone.label}{sample}", *relearning]))
