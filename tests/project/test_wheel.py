"""What a user installs: three packages with their data, typed, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = (
    "haleganada/py.typed",
    "haleganada/v1/ocr_service_pb2.pyi",
    *(f"haleganada_server/training/evaluation/matrix_page_parts/{name}" for name in ("page.html", "page.css")),
    *(f"haleganada_server/training/evaluation/matrix_page_parts/{name}.js" for name in ("matrix", "controls")),
    "haleganada_server/weights/card.json",
    "haleganada_server/weights/embedder.onnx",
    "haleganada_server/weights/starter/memory.png",
    "haleganada_server/weights/starter/model.json",
    "haleganada_server/weights/starter/model.onnx",
    "haleganada_client/cli/root.py",
    "haleganada_client/examples/copiale/README.md",
    "haleganada_client/examples/copiale/copiale.png",
    "haleganada_client/examples/copiale/symbols.zip",
    "haleganada_client/starter.jsonl",
    "haleganada_client/web/templates/index.html",
    "haleganada_client/web/static/draw_page.js",
    "haleganada_client/web/static/i18n/en.json",
    "haleganada_client/web/static/i18n/languages.js",
    "haleganada_client/web/static/styles/base.css",
    "haleganada_client/web/static/vendor/uplot.min.js",
    "haleganada_client/web/static/openapi.json",
)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    line = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(line, check=True, capture_output=True, timeout=300)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return wheel.namelist()


def test_the_wheel_is_whole(names: list[str]) -> None:
    assert not [name for name in NEEDED if name not in names]


def test_the_wheel_has_nothing_else(names: list[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "haleganada", "haleganada_server", "haleganada_client"
    }  # fmt: skip
    assert not [name for name in names if "__pycache__" in name or name.endswith((".sqlite3", ".npz"))]
