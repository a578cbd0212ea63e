"""link and unlink: labels that are forms of another label."""

from __future__ import annotations

import click

from haleganada_client.cli.formatting import printable
from haleganada_client.cli.session import Session, with_session
from haleganada_client.label_text import differ_as_text


@click.command("link")
@click.argument("form")
@click.argument("canonical")
@with_session
def link_command(session: Session, form: str, canonical: str) -> None:
    """Make FORM a form of the label CANONICAL: drawings of both are recognized as CANONICAL from now on.

    Nothing is retrained, and `haleganada unlink` reverts it.
    """
    with session.client() as client:
        linked = client.link_variants(form, canonical)
        for name in (form, linked.canonical):
            if not client.list_samples(label=name, page_size=1).total_size:
                click.echo(f"{printable(name)} has no drawings yet; check its spelling", err=True)
    if differ_as_text(form, linked.canonical):
        warning = f"drawings of {form} are recognized as {linked.canonical} from now on, which is different text"
        click.echo(f"{warning}; `{session.command_line('unlink', form)}` reverts it", err=True)
    session.show(linked, f"{linked.canonical} now has the forms {', '.join(linked.forms)}")


@click.command("unlink")
@click.argument("form")
@with_session
def unlink_command(session: Session, form: str) -> None:
    """Make FORM a label of its own again."""
    with session.client() as client:
        unlinked = client.unlink_variants(form)
    session.show(unlinked, f"{form} is no longer a form of {unlinked.former_canonical}")
