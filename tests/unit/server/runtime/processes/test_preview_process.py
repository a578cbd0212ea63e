"""Previews from a child process: its sheet, its refusals, its failures."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest
from haleganada_server.core.datasets.dataset import DatasetInfo, LabelCount
from haleganada_server.core.datasets.preview import PreviewRequest, PreviewSheet
from haleganada_server.core.errors import HaleganadaError, InvalidInput, Precondition
from haleganada_server.runtime.processes.preview_process import PreviewProcess

INFO = DatasetInfo(
    dataset_id="0a" * 6,
    name="letters",
    created_us=1,
    sha256="ab" * 32,
    labels=(LabelCount("ಅ", 1, 0, 0),),
    writers=0,
    refused=(),
    refused_total=0,
    leaks=0,
    duplicates=0,
)
REQUEST = PreviewRequest("cnn36", 3, 2, 7)
DRAWS = """
import json, pathlib, sys
request = json.loads(pathlib.Path(sys.argv[1]).read_text())
pathlib.Path(request["sheet"]).write_bytes(json.dumps(request).encode())
print("a library says something")
print(json.dumps({"done": {"labels": request["dataset"]["labels"], "side": 32}}))
"""
REFUSES = """print('{"failed": {"reason": "DATASET_UNUSABLE", "message": "it is empty; upload another"}}')"""


def draw(tmp_path: Path, code: str, request: PreviewRequest = REQUEST, needed: tuple[str, ...] = ()) -> PreviewSheet:
    (tmp_path / "child.py").write_text(code)
    (tmp_path / "tmp").mkdir()
    numbers = itertools.count()
    process = PreviewProcess(
        lambda: tmp_path / "tmp" / str(next(numbers)), (sys.executable, str(tmp_path / "child.py")), needed
    )
    try:
        return process.draw_sheet(INFO, tmp_path / "dataset", request)
    finally:
        assert not list((tmp_path / "tmp").iterdir())


def test_a_sheet(tmp_path: Path) -> None:
    sheet = draw(tmp_path, DRAWS)
    assert (sheet.labels, sheet.side) == (("ಅ",), 32)
    for part in (
        b'"preset": "cnn36"',
        b'"drawings": 3',
        b'"views": 2',
        b'"seed": 7',
        str(tmp_path / "dataset").encode(),
    ):
        assert part in sheet.sheet


def test_a_refusal_of_the_process(tmp_path: Path) -> None:
    with pytest.raises(Precondition, match="upload another") as caught:
        draw(tmp_path, REFUSES)
    assert caught.value.reason == "DATASET_UNUSABLE"


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "print('no report')", "print('{}')", "import os; os.abort()"])
def test_a_process_that_fails(tmp_path: Path, code: str) -> None:
    with pytest.raises(HaleganadaError, match="see the server's log"):
        draw(tmp_path, code)


def test_what_is_checked_before_a_process_starts(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        draw(tmp_path, DRAWS, PreviewRequest("alexnet", 1, 1, 0))
    (tmp_path / "tmp").rmdir()
    with pytest.raises(Precondition) as caught:
        draw(tmp_path, DRAWS, needed=("no_such_module",))
    assert caught.value.reason == "TORCH_NOT_INSTALLED"
