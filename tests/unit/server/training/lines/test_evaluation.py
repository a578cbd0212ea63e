"""An evaluation of models on lines: error rates, what was confused, and files."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from haleganada_server.core.datasets.dataset import DatasetOptions
from haleganada_server.core.datasets.datasets import Datasets
from haleganada_server.core.errors import DataLoss
from haleganada_server.rpc.convert.evaluation import result as to_message
from haleganada_server.store.datasets.folders import DatasetFolders
from haleganada_server.training.lines.evaluation import run_line_evaluation

from tests.support.line_sets import to_png, write_files
from tests.support.tiny_line_model import draw_blocks, write_line_model

LINES = {"ab": "ul", "ba": "lu", "aab": "uul", "abx": "ull"}
"""Texts, and the blocks of their pictures: the last text has a letter that no model here reads."""


@pytest.fixture
def request_for(tmp_path: Path) -> Any:
    """A function that builds the request to evaluate models on the lines above, all in the test part."""
    numbers = itertools.count()
    (tmp_path / "tmp").mkdir()
    store = DatasetFolders(tmp_path / "datasets", lambda: tmp_path / "tmp" / str(next(numbers)))
    datasets = Datasets(store, lambda _: False)
    table = "path\ttext\tgroup\tpart\n" + "".join(f"{text}.png\t{text}\t\ttest\n" for text in LINES)
    pictures = {f"{text}.png": to_png(draw_blocks(blocks)[:, :, 0]) for text, blocks in LINES.items()}
    info = datasets.add(
        write_files(tmp_path / "source", {"lines.tsv": table, **pictures}), "source", DatasetOptions("x")
    )

    def make(*models: Path, quick: bool = False) -> dict[str, Any]:
        entries = [{"model_id": str(i), "name": f"model {i}", "folder": str(folder)} for i, folder in enumerate(models)]
        dataset = info.describe_for_process(datasets.folder(info.dataset_id))
        return {"kind": "evaluation", "folder": str(tmp_path), "dataset": dataset, "models": entries, "quick": quick}

    return make


def evaluate(request: dict[str, Any]) -> dict[str, Any]:
    return run_line_evaluation(request, lambda _: None, lambda: False)


def test_two_models_are_read_with_and_compared(request_for: Any, tmp_path: Path) -> None:
    right, wrong = write_line_model(tmp_path / "models"), write_line_model(tmp_path / "models", ("b", "a"))
    done = evaluate(request_for(right, wrong))
    first, second = done["result"]["models"]
    assert (first["lines"]["character_error_rate"]["edits"], first["lines"]["character_error_rate"]["length"]) == (
        1,
        10,
    )
    assert first["lines"]["confusions"] == [{"right": "x", "read": "b", "count": 1}]
    assert (first["correct"], first["n"], first["accuracy"]) == (3, 4, 0.9)
    assert second["correct"] == 0
    assert second["accuracy"] < 0.3
    assert {path.name for path in (tmp_path / "files").iterdir()} == {
        "evaluation_results.json", "0_line_results.json", "0_worst_lines.png", "1_line_results.json",
        "1_worst_lines.png",
    }  # fmt: skip
    assert json.loads((tmp_path / "files/evaluation_results.json").read_text()) == done["result"]


def test_the_contract_has_what_was_found(request_for: Any, tmp_path: Path) -> None:
    message = to_message(evaluate(request_for(write_line_model(tmp_path / "models")))["result"])
    (model,) = message.models
    assert (model.drawings, model.correct, model.files[0]) == (4, 3, "0_line_results.json")
    assert model.lines.characters.rate == pytest.approx(0.1)
    assert (model.lines.words.edits, model.lines.words.length) == (1, 4)
    assert model.lines.characters.interval.low <= 0.1 <= model.lines.characters.interval.high
    assert [(one.right, one.read, one.count) for one in model.lines.confusions] == [("x", "b", 1)]


def test_a_quick_evaluation_writes_no_pictures(request_for: Any, tmp_path: Path) -> None:
    evaluate(request_for(write_line_model(tmp_path / "models"), quick=True))
    assert [path.name for path in (tmp_path / "files").iterdir()] == ["evaluation_results.json"]


def test_a_damaged_model_and_a_caller_who_gives_up(request_for: Any, tmp_path: Path) -> None:
    folder = write_line_model(tmp_path / "models")
    cancelled = run_line_evaluation(request_for(folder), lambda _: None, lambda: True)
    assert cancelled == {"model": False, "cancelled": True, "result": {}}
    (folder / "model.onnx").write_bytes(b"x")
    with pytest.raises(DataLoss, match="SHA-256"):
        evaluate(request_for(folder))
