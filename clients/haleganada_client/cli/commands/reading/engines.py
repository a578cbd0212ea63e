"""engines: what the server reads text with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.formatting import format_table, printable
from haleganada_client.cli.session import Session, with_session

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.reading.types import Engine

_LANGUAGES_SHOWN = 12


@click.command("engines")
@click.option("--all", "show_all", is_flag=True, help="List every language, and how to add more.")
@with_session
def engines_command(session: Session, show_all: bool) -> None:
    """List the engines that read text: what each can read, and what to install on the server for the others."""
    with session.client() as client:
        engines = client.engines()
    rows = [_row(engine, show_all) for engine in engines]
    missing = [engine for engine in engines if not engine.installed]
    extensible = [engine for engine in engines if engine.installed and engine.install_hint] if show_all else []
    table = format_table(rows, ["engine", "name", "version", "modes", "languages"]) if rows else "no engines"
    lines = [table, *_list_hints("to be installed on the server:", missing)]
    session.show(engines, "\n".join([*lines, *_list_hints("more languages, on the server:", extensible)]))


def _list_hints(heading: str, engines: Sequence[Engine]) -> list[str]:
    hints = [f"{printable(engine.engine)}: {printable(engine.install_hint)}" for engine in engines]
    return ["", heading, *hints] if hints else []


def _row(engine: Engine, show_all: bool) -> list[str]:
    version = engine.version or "installed" if engine.installed else "not installed"
    shown = engine.languages if show_all else engine.languages[:_LANGUAGES_SHOWN]
    hidden = len(engine.languages) - len(shown)
    languages = " ".join(shown) + (f" and {hidden} more (--all)" if hidden else "")
    return [engine.engine, engine.display_name, version, " ".join(engine.modes), languages or "-"]
