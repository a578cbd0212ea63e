"""The client stays thin: what it imports, and how fast the command line starts."""

from __future__ import annotations

import subprocess
import sys
import time

FORBIDDEN = ("torch", "numpy", "PIL", "onnxruntime", "flask", "haleganada_server")


def modules_after(code: str) -> set[str]:
    line = [sys.executable, "-c", f"{code}; import sys; print('\\n'.join(sys.modules))"]
    return set(subprocess.run(line, capture_output=True, text=True, check=True).stdout.split())


def test_the_sdk_imports_no_model_code() -> None:
    loaded = modules_after(
        "from haleganada_client import HaleganadaClient, Ink; import haleganada_client.cli.predicting"
    )
    assert not loaded & set(FORBIDDEN)


def test_help_imports_no_grpc() -> None:
    loaded = modules_after(
        "from haleganada_client.cli.group import cli; from click.testing import CliRunner; "
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0"
    )
    assert "grpc" not in loaded and not loaded & set(FORBIDDEN)


def test_help_is_quick() -> None:
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "haleganada_client.cli", "--help"], capture_output=True, check=True)
    assert time.monotonic() - began < 1.5  # generous for a busy machine; the benchmark has the figure
