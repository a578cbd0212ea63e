"""link and unlink: labels that are forms of another label."""

from __future__ import annotations

import click

from haleganada_client.cli.formatting import format_table, printable
from haleganada_client.cli.output.changed_text import warn_if_text_changes
from haleganada_client.cli.session import Session, with_session


@click.command("link")
@click.argument("form")
@click.argument("canonical")
@click.option("--join", is_flag=True, help="Include the whole group of forms that FORM belongs to.")
@with_session
def link_command(session: Session, form: str, canonical: str, join: bool) -> None:
    """Make FORM a form of the label CANONICAL: drawings of both are recognized as CANONICAL from now on.

    Nothing is retrained, and `haleganada unlink` reverts it. `haleganada links` lists all links.
    """
    with session.client() as client:
        linked = client.link_variants(form, canonical, join_groups=join)
        for name in (form, linked.canonical):
            if not client.list_samples(label=name, page_size=1).total_size:
                click.echo(f"{printable(name)} has no drawings yet; check its spelling", err=True)
    warn_if_text_changes(session, form, linked.canonical)
    session.show(linked, f"{linked.canonical} now has the forms {', '.join(linked.forms)}")


@click.command("links")
@with_session
def links_command(session: Session) -> None:
    """List the groups of forms: each canonical label with the forms that are linked to it."""
    with session.client() as client:
        links = client.stats(history_points=0).links
    groups: dict[str, list[str]] = {}
    for form, canonical in links.items():
        groups.setdefault(canonical, []).append(form)
    rows = [[canonical, ", ".join(forms)] for canonical, forms in groups.items()]
    session.show(groups, format_table(rows, ["label", "forms"]) if rows else "no links")


@click.command("unlink")
@click.argument("form")
@with_session
def unlink_command(session: Session, form: str) -> None:
    """Make FORM a label of its own again."""
    with session.client() as client:
        unlinked = client.unlink_variants(form)
    session.show(unlinked, f"{form} is no longer a form of {unlinked.former_canonical}")
