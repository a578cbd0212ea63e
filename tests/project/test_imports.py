"""Who may import whom at run time: a server without torch, a client without a server, a clear word where one lacks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def modules_after(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after a statement."""
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(run.stdout))


def test_a_server_on_the_cpu_imports_no_torch(weights_dir: Path) -> None:
    build = (
        "import haleganada_server.serve, tempfile, pathlib\n"
        "from haleganada_server.app import build_app\n"
        "from haleganada_server.config import ServerConfig\n"
        f"weights = pathlib.Path({str(weights_dir)!r})\n"
        "build_app(ServerConfig(pathlib.Path(tempfile.mkdtemp()), port=0, device='cpu', weights_dir=weights)).stop(0)"
    )
    assert not modules_after(build) & {"torch", "torchvision", "flask", "haleganada_client"}


def test_the_contract_imports_no_server() -> None:
    loaded = modules_after("import haleganada.v1.ocr_service_pb2_grpc")
    assert not loaded & {"haleganada_server", "haleganada_client", "numpy", "torch"}


def test_the_commands_are_listed_without_importing_them() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "haleganada_server", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "serve" in run.stdout and "pretrain" in run.stdout


@pytest.mark.parametrize(
    ("command", "package", "extra"), [("serve", "onnxruntime", "server"), ("pretrain", "torch", "train")]
)
def test_a_missing_package_is_named_with_its_extra(command: str, package: str, extra: str) -> None:
    """An import that is set to None fails as it does where the package is not installed."""
    code = (
        f"import sys; sys.modules[{package!r}] = None\nfrom haleganada_server.__main__ import main\nmain([{command!r}])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 1 and f"pip install 'haleganada[{extra}]'" in run.stderr
    assert "Traceback" not in run.stderr and run.stderr.count("\n") == 1
