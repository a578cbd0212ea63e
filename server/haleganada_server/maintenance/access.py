"""What the commands share that change who may do what, and how much, beside a running server on its machine."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from haleganada_server.core.access.audit import AuditEntry
from haleganada_server.core.access.identity import LOCAL, Caller
from haleganada_server.core.clock import now_us
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.store.audit import AuditFile

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default="saved_model",
    show_default=True,
    help="The server's data directory.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def note(data: Path, what: str, detail: str, workspace: str = "") -> None:
    """Keep a change in the audit trail, with the name of this machine's user."""
    user = ""
    with suppress(KeyError, OSError, ImportError):  # a user without a name
        user = getpass.getuser()
    AuditFile(data).append(AuditEntry(now_us(), Caller(LOCAL.name, user), what, workspace, detail))


@contextmanager
def end_with_errors(command: str) -> Iterator[None]:
    """Print an error of the block as the command's, and end with 1. command: as "tokens add"."""
    try:
        yield
    except (HaleganadaError, OSError, click.ClickException) as error:
        sentence = str(error) if isinstance(error, OSError) else error.message
        click.echo(f"haleganada {command}: {sentence}.", err=True)
        sys.exit(1)
