"""The checks of `doctor` that look at this machine: they ask no server and import no server code."""

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

from haleganada_client.cli.formatting import format_size
from haleganada_client.installation import describe_install

OK, WARN, FAIL = "ok", "warn", "fail"
_LEFT_OUT = frozenset({"embedder.safetensors"})  # of wheels: only training goes on from it
_MIN_FREE_BYTES = 500e6  # samples take about 3 KB each
_EXTRAS = (("server", "onnxruntime"), ("web", "waitress"), ("read", "rapidocr"), ("train", "torch"))


class Finding(NamedTuple):
    """One line of the report. state: ok, warn or fail; what: what was checked; detail: the result and what to do."""

    state: str
    what: str
    detail: str


def check_machine(data: Path, port: int) -> Iterator[Finding]:
    """Run every check of this machine. data: the data directory; port: the web page's."""
    yield _check_versions()
    yield _check_extras()
    yield _check_weights()
    yield _check_disk(data)
    yield _check_fonts()
    yield _check_port(port)


def _check_versions() -> Finding:
    versions = [f"haleganada {metadata.version('haleganada')}", f"Python {platform.python_version()}"]
    versions += [f"{name} {metadata.version(name)}" for name in ("grpcio", "protobuf")]
    try:
        server = metadata.version("haleganada-server")
    except metadata.PackageNotFoundError:
        server = metadata.version("haleganada")
    if server != metadata.version("haleganada"):
        hint = f"haleganada-server {server} is installed beside it; run {describe_install('server')}"
        return Finding(WARN, "versions", f"{', '.join(versions)}; {hint}")
    return Finding(OK, "versions", ", ".join(versions))


def _check_extras() -> Finding:
    installed = [extra for extra, module in _EXTRAS if importlib.util.find_spec(module)]
    return Finding(OK, "extras", ", ".join(installed) or "none: only the client is installed")


def _check_weights() -> Finding:
    spec = importlib.util.find_spec("haleganada_server")
    if spec is None or spec.origin is None:
        return Finding(OK, "weights", "not on this machine: the server has them")
    folder = Path(spec.origin).parent / "weights"
    try:
        hashes = json.loads((folder / "card.json").read_text(encoding="utf-8"))["sha256"]
        there = [name for name in hashes if name not in _LEFT_OUT or (folder / name).exists()]
        found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in there}
        changed = [name for name in there if found[name] != hashes[name]]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        return Finding(FAIL, "weights", f"cannot be read ({error}); reinstall the package")
    if changed:
        return Finding(FAIL, "weights", f"{', '.join(changed)} changed after the release; reinstall the package")
    return Finding(OK, "weights", f"{len(there)} files match their checksums")


def _check_disk(data: Path) -> Finding:
    existing = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < _MIN_FREE_BYTES:
        problem = f"only {format_size(free)} free for {data.absolute()}"
        return Finding(WARN, "disk", f"{problem}; free some space, or choose another directory with --data")
    missing = "" if data.exists() else ", which does not exist yet"
    state = f"{format_size(free)} free for {data.absolute()}{missing}"
    return Finding(OK, "disk", f"{state}; if the server uses another directory, name it with --data")


def _check_fonts() -> Finding:
    if shutil.which("fc-list") is None:
        return Finding(OK, "fonts", "cannot be listed here; if ಕ appears as a box, install a Kannada font")
    command = ["fc-list", ":lang=kn", "family"]
    families = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout.splitlines()
    if not any(families):
        return Finding(WARN, "fonts", "none for Kannada; install one, for example Noto Sans Kannada")
    return Finding(OK, "fonts", f"for Kannada: {next(filter(None, families))}")


def _check_port(port: int) -> Finding:
    with socket.socket() as probe:
        busy = probe.connect_ex(("127.0.0.1", port)) == 0
    if busy:
        return Finding(WARN, "port", f"{port} is in use; unless the web page uses it, choose another with --port")
    return Finding(OK, "port", f"{port} is free for the web page")
