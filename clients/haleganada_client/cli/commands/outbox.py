"""outbox: drawings that were taught while their server was away, and wait on this machine."""

from __future__ import annotations

import sys

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.formatting import format_count, format_size, format_table, format_time
from haleganada_client.cli.output.refusals import group_refused
from haleganada_client.cli.session import Session, say_if_stopped, with_session
from haleganada_client.errors import HaleganadaError, NotFound
from haleganada_client.types import ItemError


@click.group("outbox", cls=DefaultGroup)
def outbox_command() -> None:
    """List the drawings that wait for a server (ls, the default), send them, or discard some.

    `haleganada train --offline-ok` keeps them here while the server cannot be reached.
    """


@outbox_command.command("ls")
@with_session
def list_outbox(session: Session) -> None:
    """List what waits, oldest first, for all servers. What a server refused stays until it is discarded."""
    from haleganada_client.outbox import Outbox

    kept = Outbox().list()
    facts = ("number", "label", "variant_of", "workspace", "target", "kept_at", "problem")
    values = [{**{name: getattr(one, name) for name in facts}, "bytes": len(one.picture)} for one in kept]
    rows = [
        [
            str(one.number),
            one.label,
            one.workspace,
            one.target,
            format_time(one.kept_at),
            format_size(len(one.picture)),
            f"refused: {one.problem}" if one.problem else "waits",
        ]
        for one in kept
    ]
    header = ["", "label", "workspace", "server", "kept", "size", ""]
    session.show(values, format_table(rows, header, right={0, 5}) if kept else "nothing waits")


@outbox_command.command("send")
@with_session
def send_outbox(session: Session) -> None:
    """Send what waits for the server, in the order of teaching. What it has already is not taught again."""
    from haleganada_client.outbox import Outbox

    outbox = Outbox()
    sent = 0
    refused: list[tuple[str, str]] = []
    with session.client() as client, say_if_stopped(lambda: f"{format_count(sent, 'drawing')} were sent"):
        try:
            for lesson, outcome in outbox.send(client):
                if isinstance(outcome, ItemError):
                    refused.append((f"{lesson.label}, number {lesson.number}", outcome.message))
                else:
                    sent += 1
        except HaleganadaError as error:
            error.message += f" ({format_count(sent, 'drawing')} sent; {len(outbox.list()):,} wait)"
            raise
        elsewhere = sum(one.target != client.config.target for one in outbox.list())
    lines = [f"sent {format_count(sent, 'drawing')}", *(f"  refused: {line}" for line in group_refused(refused))]
    if elsewhere:
        lines.append(
            f"{format_count(elsewhere, 'drawing')} for other servers still wait; `haleganada outbox` lists them, and "
            "`haleganada --server HOST:PORT outbox send`, or with --profile NAME, sends those of that server"
        )
    session.show({"sent": sent, "refused": len(refused), "elsewhere": elsewhere}, "\n".join(lines))
    if refused:
        sys.exit(ExitCode.FAILURE)


@outbox_command.command("discard")
@click.argument("numbers", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="Discard everything that waits, for all servers.")
@with_session
def discard_outbox(session: Session, numbers: tuple[int, ...], everything: bool) -> None:
    """Delete waiting drawings, by their numbers in the list. They will not be taught."""
    from haleganada_client.outbox import Outbox

    if everything == bool(numbers):
        raise click.UsageError("give the numbers of drawings, or --all; `haleganada outbox` lists them")
    outbox = Outbox()
    known = {one.number for one in outbox.list()}
    if missing := [str(number) for number in numbers if number not in known]:
        raise NotFound(f"nothing waits under {', '.join(missing)}; `haleganada outbox` lists what does")
    count = outbox.discard(known if everything else numbers)
    session.show({"discarded": count}, f"discarded {format_count(count, 'drawing')}")
