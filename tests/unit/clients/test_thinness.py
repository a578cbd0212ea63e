"""The client stays thin: what it imports, and how fast the command line starts."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module

import haleganada_client
import pytest
from haleganada_client.cli.root import SECTIONS

FORBIDDEN = ("torch", "numpy", "PIL", "onnxruntime", "flask", "haleganada_server")


def modules_after(code: str) -> set[str]:
    line = [sys.executable, "-c", f"{code}; import sys; print('\\n'.join(sys.modules))"]
    return set(subprocess.run(line, capture_output=True, text=True, check=True).stdout.split())


def test_the_sdk_imports_no_model_code() -> None:
    loaded = modules_after("from haleganada_client import HaleganadaClient; import haleganada_client.cli")
    assert "grpc" in loaded and not loaded & set(FORBIDDEN)
    assert not loaded & {"grpc_health.v1.health_pb2", "google.rpc.error_details_pb2"}


def test_who_reads_no_documents_imports_nothing_of_that() -> None:
    loaded = modules_after("from haleganada_client import HaleganadaClient; HaleganadaClient('127.0.0.1:1').close()")
    assert "haleganada_client.training.jobs" in loaded
    assert not loaded & {"haleganada_client.reading.types", "haleganada.v1.reading_service_pb2"}


def test_the_packages_import_nothing_heavy() -> None:
    loaded = modules_after("import haleganada_client, haleganada_client.cli")
    assert not loaded & {*FORBIDDEN, "grpc", "google.protobuf", "importlib.metadata"}


COMMANDS = {name for commands in SECTIONS.values() for name in commands}
HELP = """
from click.testing import CliRunner
from haleganada_client.cli.root import cli
from sys import modules

for command in {commands!r}:
    assert CliRunner().invoke(cli, [*command.split(), "--help"]).exit_code == 0
    if loaded := {heavy!r} & {{*modules}}:
        raise SystemExit(f"{{command}} --help imports {{loaded}}")
"""


def test_help_waits_for_nothing() -> None:
    commands = ["", *sorted(COMMANDS - {"serve", "pretrain"})]  # whose help is the server's own
    heavy = {*FORBIDDEN, "grpc", "google.protobuf"}
    line = [sys.executable, "-c", HELP.format(commands=commands, heavy=heavy)]
    assert subprocess.run(line, capture_output=True, text=True).stderr == ""


def test_help_is_quick() -> None:
    before = _seconds_of_children()
    subprocess.run([sys.executable, "-m", "haleganada_client.cli", "--help"], capture_output=True, check=True)
    assert _seconds_of_children() - before < 1.0  # generous for a slow machine; the benchmark has the figure


def _seconds_of_children() -> float:
    """Return the processor time that ended child processes took, which other programs do not change."""
    times = os.times()
    return times.children_user + times.children_system


def test_everything_public_can_be_imported_from_the_top() -> None:
    public = dir(haleganada_client)
    assert all(getattr(haleganada_client, name) is not None for name in public)
    for home in ("types", "errors"):
        module = import_module(f"haleganada_client.{home}")
        classes = {
            name
            for name, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
        }
        assert classes <= set(public)
    with pytest.raises(AttributeError):
        haleganada_client.nothing  # noqa: B018
