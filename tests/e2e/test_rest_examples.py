"""The examples of docs/using/reading.md for REST, run as they stand."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_server.config import ServerConfig

from tests.conftest import run_server
from tests.e2e.web.browser import web
from tests.support.tiny_reader import tiny

DOCS = Path(__file__).parents[2] / "docs" / "using" / "reading.md"
SHOWN = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    running = run_server(ServerConfig(tmp_path_factory.mktemp("rest"), port=0))
    try:
        with web(running.address) as address:
            yield address
    finally:
        running.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the documents of the examples."""
    (tmp_path / "letter.png").write_bytes(tiny("Dear Asha"))
    (tmp_path / "note.png").write_bytes(tiny("Milk, bread"))
    return tmp_path


def example(language: str, address: str) -> str:
    """Return an example, asking the server at an address."""
    found = re.search(rf"## REST\n.*?```{language}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1].replace(SHOWN, address.rstrip("/"))


def run(line: list[str], folder: Path) -> str:
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(address: str, folder: Path) -> None:
    one, many = (json.loads(run(["sh", "-c", line], folder)) for line in example("bash", address).splitlines())
    assert one["text"] == "Dear Asha\n"
    assert [result["text"] for result in many["results"]] == ["Dear Asha\n", "Milk, bread\n"]


def test_python(address: str, folder: Path) -> None:
    assert run([sys.executable, "-c", example("python", address)], folder) == "Dear Asha\n\n"


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_javascript(address: str, folder: Path) -> None:
    (folder / "example.mjs").write_text(example("javascript", address), encoding="utf-8")
    assert run(["node", "example.mjs"], folder) == "Dear Asha\n\n"
