"""doctor: is everything there, does it work, and if not, what to do."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import platform
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import click

from haleganada_client.client import HaleganadaClient
from haleganada_client.errors import HaleganadaError
from haleganada_client.types import Ink, Stroke

from .layout import size
from .session import Session, plain, with_session

OK, WARN, FAIL = "ok", "warn", "fail"
Finding = tuple[str, str, str]
_LEAST_FREE = 500e6
_WEB_PORT = 8080


@click.command("doctor")
@click.option(
    "--data", default="saved_model", show_default=True, type=click.Path(path_type=Path), help="The data directory."
)
@with_session
def doctor_command(session: Session, data: Path) -> None:
    """Check versions, weights, disk, fonts and ports, and teach and recognise in a workspace made for that."""
    findings = [*_versions(), _weights(), _disk(data), _fonts(), _port(_WEB_PORT)]
    with session.client() as client:
        findings += _server(client)
    session.show(
        [{"state": state, "what": what, "detail": detail} for state, what, detail in plain(findings)],
        "\n".join(f"{_mark(state)} {what}: {detail}" for state, what, detail in findings),
    )
    if any(state == FAIL for state, _, _ in findings):
        sys.exit(1)


def _mark(state: str) -> str:
    colour = {OK: "green", WARN: "yellow", FAIL: "red"}[state]
    return click.style(f"{state:>4}", fg=colour)


def _versions() -> Iterator[Finding]:
    parts = [f"haleganada {metadata.version('haleganada')}", f"Python {platform.python_version()}"]
    parts += [f"{name} {metadata.version(name)}" for name in ("grpcio", "protobuf")]
    yield OK, "versions", ", ".join(parts)
    installed = [extra for extra, name in (("server", "onnxruntime"), ("web", "waitress"), ("train", "torch"))
                 if importlib.util.find_spec(name)]  # fmt: skip
    yield OK, "extras", ", ".join(installed) or "none: this is the thin client"


def _weights() -> Finding:
    spec = importlib.util.find_spec("haleganada_server")
    if spec is None or spec.origin is None:
        return OK, "weights", "not here: they live on the server"
    folder = Path(spec.origin).parent / "weights"
    try:
        hashes = json.loads((folder / "card.json").read_text(encoding="utf-8"))["sha256"]
        wrong = [name for name, expected in hashes.items() if _sha256(folder / name) != expected]
    except (OSError, ValueError, KeyError) as error:
        return FAIL, "weights", f"cannot be read ({error}); install the package again"
    if wrong:
        return FAIL, "weights", f"{', '.join(wrong)} changed; install the package again"
    return OK, "weights", f"{len(hashes)} files match their card"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _disk(data: Path) -> Finding:
    nearest = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(nearest).free
    state = OK if free > _LEAST_FREE else WARN
    return state, "disk", f"{size(free)} free for {data}" + ("" if state == OK else "; make some room")


def _fonts() -> Finding:
    if shutil.which("fc-list") is None:
        return OK, "fonts", "cannot be listed here; if ಕ shows as a box, install a Kannada font"
    listed = subprocess.run(
        ["fc-list", ":lang=kn", "family"], capture_output=True, text=True, check=False
    ).stdout.split("\n")
    if not any(listed):
        return WARN, "fonts", "none for Kannada; install one, for example Noto Sans Kannada"
    return OK, "fonts", f"Kannada by {next(filter(None, listed))}"


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        busy = probe.connect_ex(("127.0.0.1", port)) == 0
    if busy:
        return WARN, "web port", f"{port} is in use: by the page, or choose another with --port"
    return OK, "web port", f"{port} is free"


def _server(client: HaleganadaClient) -> Iterator[Finding]:
    try:
        state = client.health()
        yield OK if state == "SERVING" else WARN, "server", f"{client.config.target} says {state}"
        yield _tried("device", lambda: _device(client))
        yield _tried("round trip", lambda: _round_trip(client))
    except HaleganadaError as error:
        yield FAIL, "server", error.message


def _tried(what: str, check: Callable[[], str]) -> Finding:
    try:
        return OK, what, check()
    except HaleganadaError as error:
        return FAIL, what, error.message


def _device(client: HaleganadaClient) -> str:
    stats = client.stats(history_points=0)
    return f"{stats.device}, weights {stats.versions.get('weights', '?')} ({stats.embedder_hash[:12]})"


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
        raise HaleganadaError("a cross was taught but not recognised; the weights may be damaged")
    return f"taught and recognised a cross ({100 * best.probability:.0f} %)"


def _cross(shift: float) -> Ink:
    return Ink((Stroke((40.0, 200 + shift), (40.0, 200.0)), Stroke((200.0, 40 + shift), (40.0, 200.0))), 240, 240)


def _ring() -> Ink:
    eighths = ((200, 120), (177, 177), (120, 200), (63, 177), (40, 120), (63, 63), (120, 40), (177, 63), (200, 120))
    return Ink((Stroke(tuple(float(x) for x, _ in eighths), tuple(float(y) for _, y in eighths)),), 240, 240)
