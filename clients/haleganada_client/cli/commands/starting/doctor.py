"""doctor: check that everything is installed and works, and say how to fix what does not."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.formatting import format_percent, format_size
from haleganada_client.cli.output.model_report import describe_fetching
from haleganada_client.cli.output.replica import describe_replica
from haleganada_client.cli.session import Session, with_session
from haleganada_client.cli.setting_names import name_options
from haleganada_client.errors import HaleganadaError
from haleganada_client.types import Ink, Stroke

from .installed_files import check_installed_files
from .machine_checks import FAIL, OK, WARN, Finding, check_machine

if TYPE_CHECKING:
    from haleganada_client.client import HaleganadaClient

_COLORS = {OK: "green", WARN: "yellow", FAIL: "red"}


@click.command("doctor")
@click.option(
    "--data",
    default="saved_model",
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The data directory.",
)
@click.option(
    "--port",
    envvar="HALEGANADA_PORT",
    default=8080,
    show_default=True,
    metavar="PORT",
    type=click.IntRange(1, 65535),
    help="The page's port.",
)
@click.option(
    "--offline",
    is_flag=True,
    help="Contact no server; instead compare each installed file with its hash in the wheel.",
)
@with_session
def doctor_command(session: Session, data: Path, port: int, offline: bool) -> None:
    """Check versions, weights, disk, fonts, port and server; teach and recognize a drawing in a temporary workspace.

    Each line says ok, warn or fail, and what to do. The exit code is 1 if a check failed.
    """
    findings = list(check_machine(data, port))
    if offline:
        findings.append(check_installed_files())
    else:
        with session.client() as client:
            findings += _check_server(client)
    session.show(
        [{"state": finding.state, "what": finding.what, "detail": finding.detail} for finding in findings],
        "\n".join(_format_finding(finding) for finding in findings),
    )
    if any(finding.state == FAIL for finding in findings):
        sys.exit(ExitCode.FAILURE)


def _format_finding(finding: Finding) -> str:
    state = click.style(f"{finding.state:<4}", fg=_COLORS[finding.state])
    return f"{state}  {finding.what:<10}  {finding.detail}"


def _check_server(client: HaleganadaClient) -> Iterator[Finding]:
    target = client.config.target
    try:
        state = client.health()
    except HaleganadaError as error:
        yield Finding(FAIL, "server", name_options(error.message))
        return
    if state != "SERVING":
        yield Finding(FAIL, "server", f"{target} answers {state}: it is starting or stopping; try again soon")
        return
    yield Finding(OK, "server", f"{target} is serving")
    yield _try_check("runtime", lambda: _describe_runtime(client))
    yield from _check_status(client)
    yield _try_check("round trip", lambda: _teach_and_recognize(client))
    yield from _check_training(client)


def _check_status(client: HaleganadaClient) -> Iterator[Finding]:
    """Tell how well the server follows others, and how its GPU is, or why one that is there is not used; nothing where
    there are none.
    """
    try:
        status = client.server_status()
    except HaleganadaError as error:
        yield Finding(FAIL, "status", name_options(error.message))
        return
    if status.replica is not None:
        yield Finding(OK if status.replica.current else WARN, "database", describe_replica(status.replica))
    if status.device_note:
        yield Finding(WARN, "gpu", status.device_note)
    elif status.device_memory_bytes is not None and status.device_memory_limit_bytes is not None:
        used, limit = format_size(status.device_memory_bytes), format_size(status.device_memory_limit_bytes)
        yield Finding(OK, "gpu", f"{status.device}; uses {used} of {limit}")


def _check_training(client: HaleganadaClient) -> Iterator[Finding]:
    """Tell what cannot be trained on the server, one line for each reason."""
    try:
        presets = client.models.presets()
    except HaleganadaError as error:
        yield Finding(FAIL, "training", name_options(error.message))
        return
    if ready := [preset.name for preset in presets if not preset.missing and not preset.needs_network]:
        yield Finding(OK, "training", f"of {', '.join(ready)}")
    if fetching := describe_fetching(presets):
        yield Finding(WARN, "training", fetching)
    for reason in dict.fromkeys(preset.missing for preset in presets if preset.missing):
        yield Finding(WARN, "training", reason)


def _try_check(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(OK, what, check())
    except HaleganadaError as error:
        return Finding(FAIL, what, name_options(error.message))


def _describe_runtime(client: HaleganadaClient) -> str:
    stats = client.stats(history_points=0)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(stats.versions.items()))
    return f"{stats.device}; {versions}; embedder {stats.embedder_hash[:12]}"


def _teach_and_recognize(client: HaleganadaClient) -> str:
    """Teach a cross and a circle and recognize a cross, in a workspace that is deleted afterwards."""
    name = f"doctor-{secrets.token_hex(4)}"
    client.create_workspace(name)
    try:
        client.train(_cross(0), "x", workspace=name)
        client.train(_circle(), "o", workspace=name)
        candidates = client.predict(_cross(6), workspace=name).candidates
    finally:
        client.delete_workspace(name, name)
    if not candidates or candidates[0].label != "x":
        raise HaleganadaError("a cross was taught but not recognized; reinstall the server, its weights may be damaged")
    return f"taught and recognized a cross ({format_percent(candidates[0].probability)})"


def _cross(shift: float) -> Ink:
    return Ink((Stroke((40.0, 200 + shift), (40.0, 200.0)), Stroke((200.0, 40 + shift), (40.0, 200.0))), 240, 240)


def _circle() -> Ink:
    eighths = ((200, 120), (177, 177), (120, 200), (63, 177), (40, 120), (63, 63), (120, 40), (177, 63), (200, 120))
    return Ink((Stroke(tuple(float(x) for x, _ in eighths), tuple(float(y) for _, y in eighths)),), 240, 240)
