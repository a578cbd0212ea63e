"""A warning about links that change what recognized text says."""

from __future__ import annotations

import click

from haleganada_client.cli.formatting import printable
from haleganada_client.cli.session import Session
from haleganada_client.label_text import differ_as_text


def warn_if_text_changes(session: Session, form: str, canonical: str) -> None:
    """Say on stderr that drawings of a form are recognized as other text, if so, and how to revert that."""
    if canonical and differ_as_text(form, canonical):
        names = f"drawings of {printable(form)} are recognized as {printable(canonical)} from now on"
        click.echo(f"{names}, which is different text; `{session.command_line('unlink', form)}` reverts it", err=True)
