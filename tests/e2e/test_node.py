"""A client in another language, made from the .proto files alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.processes import server

HERE = Path(__file__).parent / "node"
PROTO = Path(__file__).parents[2] / "proto"


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with its packages installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are not installed")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "teach.js"):
        shutil.copy(HERE / name, folder / name)
    line = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
    installed = subprocess.run(line, cwd=folder, capture_output=True, timeout=300, check=False)
    if installed.returncode != 0:
        pytest.skip("npm cannot install @grpc/grpc-js here")
    return folder


def test_node_teaches_and_predicts(node_folder: Path, tmp_path: Path) -> None:
    with server(tmp_path) as running:
        line = ["node", "teach.js", running.address, str(PROTO)]
        done = subprocess.run(line, cwd=node_folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["taught"]["durable"] and answer["taught"]["sample_id"] == 1
    assert answer["again"]["duplicate"] and answer["again"]["sample_id"] == 1
    assert answer["found"]["candidates"][0]["label"] == "ಅ"
    assert answer["found"]["decision"].startswith("DECISION_")
    assert answer["refused"] == 3  # INVALID_ARGUMENT
