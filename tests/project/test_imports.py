"""Who may import whom at run time: a server without torch, a client without a server, a clear word where one lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import tiny_reader


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


def test_a_server_that_reads_imports_nothing_of_it() -> None:
    read = (
        "import haleganada_server.serve, tempfile, pathlib, grpc\n"
        "from haleganada.v1 import reading_service_pb2 as pb, reading_service_pb2_grpc\n"
        "from haleganada_server.app import build_app\n"
        "from haleganada_server.config import ServerConfig\n"
        "app = build_app(ServerConfig(pathlib.Path(tempfile.mkdtemp()), port=0, device='cpu'), "
        f"reader={tiny_reader.COMMAND!r})\n"
        "app.start()\n"
        "stub = reading_service_pb2_grpc.ReadingServiceStub(grpc.insecure_channel(app.address))\n"
        "assert stub.Read(pb.ReadRequest(document=b'TINY\\na')).page.text == 'a\\n'\n"
        "app.stop(1)\n"
        "assert not [name for name in sys.modules if name.startswith('haleganada_server.reading')]"
    )
    assert not modules_after(read) & {"cv2", "rapidocr", "pypdfium2", "tesserocr", "lxml", "torch"}


def test_the_server_reports_to_nobody_what_it_runs(tmp_path: Path) -> None:
    """ONNX Runtime keeps a file of the session where it reports, which it never does in continuous integration."""
    code = "import haleganada_server.runtime.onnx_embedder"
    silent = {"CI", "ORT_DISABLE_TELEMETRY", "GITHUB_ACTIONS", "PYTEST_CURRENT_TEST"}
    environment = {name: value for name, value in os.environ.items() if name not in silent}
    places = {"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=environment | places)
    assert not list(tmp_path.iterdir())


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
    assert run.returncode == 1 and f"pip install -e '.[{extra}]' -e server" in run.stderr
    assert "Traceback" not in run.stderr and run.stderr.count("\n") == 1
