"""ping: tell whether the server takes calls, for people and for what watches it."""

from __future__ import annotations

import time

import click

from haleganada_client.cli.exit_codes import ExitCode, fail
from haleganada_client.cli.session import Session, with_session


@click.command("ping")
@with_session
def ping_command(session: Session) -> None:
    """Check whether the server accepts calls. This needs no token and changes nothing.

    The exit code is 0 if it does, 1 if it is starting or stopping, 3 if nobody answers: for health checks of
    containers.
    """
    with session.client() as client:
        started = time.perf_counter()
        state = client.health()
        milliseconds = (time.perf_counter() - started) * 1000
    if state != "SERVING":
        fail(f"the server says {state}: it is starting or stopping; try again in a moment", ExitCode.FAILURE)
    session.show({"state": state, "ms": round(milliseconds, 1)}, f"{state}, {milliseconds:.1f} ms with the connection")
