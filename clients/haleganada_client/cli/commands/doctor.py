"""doctor: is everything there, does it work, and if not, what to do."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haleganada_client.cli import machine
from haleganada_client.cli.layout import percent
from haleganada_client.cli.machine import FAIL, OK, WARN, Finding
from haleganada_client.cli.session import Session, with_session
from haleganada_client.errors import HaleganadaError
from haleganada_client.types import Ink, Stroke

if TYPE_CHECKING:
    from haleganada_client.client import HaleganadaClient

_COLORS = {OK: "green", WARN: "yellow", FAIL: "red"}


@click.command("doctor")
@click.option(
    "--data", default="saved_model", show_default=True, type=click.Path(path_type=Path), help="The data directory."
)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="The page's port.")
@with_session
def doctor_command(session: Session, data: Path, port: int) -> None:
    """Check versions, weights, disk, fonts and port, and teach and recognise in a workspace made for that.

    Each line says ok, warn or fail, and what to do. Exit code 1 if one failed.
    """
    findings = list(machine.findings(data, port))
    with session.client() as client:
        findings += _server(client)
    session.show(
        [{"state": found.state, "what": found.what, "detail": found.detail} for found in findings],
        "\n".join(_line(found) for found in findings),
    )
    if any(found.state == FAIL for found in findings):
        sys.exit(1)


def _line(found: Finding) -> str:
    return f"{click.style(f'{found.state:<4}', fg=_COLORS[found.state])}  {found.what:<10}  {found.detail}"


def _server(client: HaleganadaClient) -> Iterator[Finding]:
    try:
        state = client.health()
    except HaleganadaError as error:
        yield Finding(FAIL, "server", error.message)
        return
    if state != "SERVING":
        yield Finding(
            FAIL, "server", f"{client.config.target} says {state}: it is starting or stopping; try again soon"
        )
        return
    yield Finding(OK, "server", f"{client.config.target} is serving")
    yield _tried("runtime", lambda: _runtime(client))
    yield _tried("round trip", lambda: _round_trip(client))


def _tried(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(OK, what, check())
    except HaleganadaError as error:
        return Finding(FAIL, what, error.message)


def _runtime(client: HaleganadaClient) -> str:
    stats = client.stats(history_points=0)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(stats.versions.items()))
    return f"{stats.device}; {versions}; embedder {stats.embedder_hash[:12]}"


def _round_trip(client: HaleganadaClient) -> str:
    """Teach a cross and a circle, recognise a cross, in a workspace that is then deleted."""
    name = f"doctor-{secrets.token_hex(4)}"
    client.create_workspace(name)
    try:
        client.train(_cross(0), "x", workspace=name)
        client.train(_ring(), "o", workspace=name)
        best = client.predict(_cross(6), workspace=name).best
    finally:
        client.delete_workspace(name, name)
    if best is None or best.label != "x":
        raise HaleganadaError("a cross was taught but not recognized; install the server again, its weights may be bad")
    return f"taught and recognized a cross ({percent(best.probability)})"


def _cross(shift: float) -> Ink:
    return Ink((Stroke((40.0, 200 + shift), (40.0, 200.0)), Stroke((200.0, 40 + shift), (40.0, 200.0))), 240, 240)


def _ring() -> Ink:
    eighths = ((200, 120), (177, 177), (120, 200), (63, 177), (40, 120), (63, 63), (120, 40), (177, 63), (200, 120))
    return Ink((Stroke(tuple(float(x) for x, _ in eighths), tuple(float(y) for _, y in eighths)),), 240, 240)
