"""correct, link, unlink, relabel, forget, undo."""

from __future__ import annotations

import click

from haleganada_client.cli.layout import printable
from haleganada_client.cli.session import Session, with_session
from haleganada_client.cli.text.online_learning import learned_anew, not_learned
from haleganada_client.other_text import differ_as_text

from .train import in_words


@click.command("correct")
@click.argument("prediction_id")
@click.argument("label")
@click.option("--variant-of", default="", metavar="LABEL", help="The label that this one is a form of.")
@with_session
def correct_command(session: Session, prediction_id: str, label: str, variant_of: str) -> None:
    """Teach the drawing of an earlier prediction with its right LABEL. `predict` shows the PREDICTION_ID."""
    with session.client() as client:
        done = client.correct(prediction_id, label, variant_of=variant_of)
        unlearned = not_learned(session, client)
    text = f"{in_words(done.taught)}; it had been taken for {done.predicted or 'unknown'}"
    session.show(done, "\n".join([text, *unlearned]))


@click.command("link")
@click.argument("form")
@click.argument("canonical")
@with_session
def link_command(session: Session, form: str, canonical: str) -> None:
    """Let FORM stand for CANONICAL from now on. Nothing is retrained; `haleganada unlink` parts them again."""
    with session.client() as client:
        linked = client.link_variants(form, canonical)
        for name in (form, linked.canonical):
            if not client.list_samples(label=name, page_size=1).total_size:
                click.echo(f"{printable(name)} has no drawings yet; is it spelled as it was taught?", err=True)
    if differ_as_text(form, linked.canonical):
        said = f"what was drawn as {form} is read as {linked.canonical} from now on, which is other text"
        click.echo(f"{said}; `{session.command_line('unlink', form)}` parts them again", err=True)
    session.show(linked, f"{linked.canonical} now has the forms {', '.join(linked.forms)}")


@click.command("unlink")
@click.argument("form")
@with_session
def unlink_command(session: Session, form: str) -> None:
    """Let FORM stand for itself again."""
    with session.client() as client:
        parted = client.unlink_variants(form)
    session.show(parted, f"{form} is no longer a form of {parted.former_canonical}")


@click.command("relabel")
@click.argument("sample_id", type=int)
@click.argument("label")
@with_session
def relabel_command(session: Session, sample_id: int, label: str) -> None:
    """Give sample SAMPLE_ID another LABEL. The model is then the one that had been taught so."""
    with session.client() as client:
        sample = client.relabel(sample_id, label)
        anew = learned_anew(session, client)
    session.show(sample, "\n".join([f"sample {sample.sample_id} is now {sample.label}", *anew]))


@click.command("forget")
@click.argument("sample_id", type=int)
@with_session
def forget_command(session: Session, sample_id: int) -> None:
    """Forget sample SAMPLE_ID. `haleganada undo` brings it back."""
    with session.client() as client:
        revision = client.forget(sample_id)
        anew = learned_anew(session, client)
    text = f"forgot sample {sample_id}; `{session.command_line('undo')}` brings it back"
    session.show({"revision": revision}, "\n".join([text, *anew]))


@click.command("undo")
@with_session
def undo_command(session: Session) -> None:
    """Take the last change back: teach, correct, relabel, forget, link or unlink. Can be repeated."""
    with session.client() as client:
        undone = client.undo()
        anew = learned_anew(session, client)
    subject = f" of sample {undone.sample_id}" if undone.sample_id else ""
    session.show(undone, "\n".join([f"took back: {undone.kind} {undone.label}{subject}", *anew]))
