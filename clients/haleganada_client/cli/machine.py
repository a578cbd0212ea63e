"""What `doctor` finds on this machine, without asking a server and without importing it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import platform
import shutil
import socket
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from .layout import size

OK, WARN, FAIL = "ok", "warn", "fail"
_LEAST_FREE = 500e6  # bytes; samples take about 3 KB each
_EXTRAS = (("server", "onnxruntime"), ("web", "waitress"), ("train", "torch"))


class Finding(NamedTuple):
    """One line of the report: ok, warn or fail; what was looked at; what was found and what to do."""

    state: str
    what: str
    detail: str


def findings(data: Path, port: int) -> Iterator[Finding]:
    """Everything that can be seen from here."""
    yield _versions()
    yield _extras()
    yield _weights()
    yield _disk(data)
    yield _fonts()
    yield _port(port)


def _versions() -> Finding:
    parts = [f"haleganada {metadata.version('haleganada')}", f"Python {platform.python_version()}"]
    parts += [f"{name} {metadata.version(name)}" for name in ("grpcio", "protobuf")]
    return Finding(OK, "versions", ", ".join(parts))


def _extras() -> Finding:
    installed = [extra for extra, module in _EXTRAS if importlib.util.find_spec(module)]
    return Finding(OK, "extras", ", ".join(installed) or "none: this is the thin client")


def _weights() -> Finding:
    spec = importlib.util.find_spec("haleganada_server")
    if spec is None or spec.origin is None:
        return Finding(OK, "weights", "not here: they are on the server")
    folder = Path(spec.origin).parent / "weights"
    try:
        hashes = json.loads((folder / "card.json").read_text(encoding="utf-8"))["sha256"]
        wrong = [name for name, expected in hashes.items() if _sha256(folder / name) != expected]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        return Finding(FAIL, "weights", f"cannot be read ({error}); install the package again")
    if wrong:
        return Finding(FAIL, "weights", f"{', '.join(wrong)} changed since they were made; install the package again")
    return Finding(OK, "weights", f"{len(hashes)} files match their card")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _disk(data: Path) -> Finding:
    nearest = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(nearest).free
    if free < _LEAST_FREE:
        return Finding(
            WARN, "disk", f"only {size(free)} free for {data.absolute()}; make some room, or choose another with --data"
        )
    there = "" if data.exists() else ", which is not there yet"
    return Finding(
        OK, "disk", f"{size(free)} free for {data.absolute()}{there}; name the server's with --data if it has another"
    )


def _fonts() -> Finding:
    if shutil.which("fc-list") is None:
        return Finding(OK, "fonts", "cannot be listed here; if ಕ shows as a box, install a Kannada font")
    line = ["fc-list", ":lang=kn", "family"]
    listed = subprocess.run(line, capture_output=True, text=True, check=False, timeout=30).stdout.splitlines()
    if not any(listed):
        return Finding(WARN, "fonts", "none for Kannada; install one, for example Noto Sans Kannada")
    return Finding(OK, "fonts", f"Kannada by {next(filter(None, listed))}")


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        busy = probe.connect_ex(("127.0.0.1", port)) == 0
    if busy:
        return Finding(WARN, "port", f"{port} is in use: by the page, or else choose another with --port")
    return Finding(OK, "port", f"{port} is free for the page")
