"""The notebook of docs/ runs from its first cell to its last, does what its text says, and is kept with its answers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.e2e.notebook import NOTEBOOK, load_notebook, run_notebook
from tests.e2e.processes import train_python

KEPT = load_notebook()
HAS = "import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1:])))"
TRAINED = ("dataset", "fit")
"""Cells that say something else where there is no torch."""


def has(python: Path | str, *modules: str) -> bool:
    """Whether there is such a Python that has these modules."""
    return Path(python).exists() and not subprocess.run([python, "-c", HAS, *modules], check=False).returncode


def texts(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """A cell's id -> all that it printed, without what may differ a little between machines: shares, and what an
    unknown sign is least unlike.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    printed = {cell.id: "".join(output.get("text", "") for output in cell.outputs) for cell in cells}
    return {name: re.sub(r"(?<=unknown, first )\w+|\d+(?=%)", "", text) for name, text in printed.items()}


def pictures(notebook: nbformat.NotebookNode) -> list[str]:
    """The cells that show pictures, once for each."""
    shown = [(cell.id, output) for cell in notebook.cells for output in cell.get("outputs", [])]
    return [name for name, output in shown if "image/png" in output.get("data", {})]


def as_promised(said: dict[str, str]) -> None:
    """Taught signs are recognized, another is not until it is taught, and again not once that is undone."""
    assert said["teach"].split("\n")[2:] == ["sample 3 is wave; labels known: 3", ""]
    for sign in ("hut", "fork", "wave"):
        assert re.search(rf"^{sign} +recognized, first {sign} %", said["predict"], re.MULTILINE), said["predict"]
    assert re.search(r"^gate +unknown", said["predict"], re.MULTILINE), said["predict"]
    assert re.search(r"^gate +recognized, first gate", said["correct"], re.MULTILINE), said["correct"]
    assert re.match(r"undone: correct gate\ngate +unknown.*\ngate +recognized, first gate", said["undo"]), said["undo"]
    assert "20 samples of 4 labels" in said["stats"] and "gate  5 samples" in said["stats"]


@pytest.mark.parametrize(
    "python",
    [
        sys.executable,
        pytest.param(
            train_python(),
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(
                    not has(train_python(), "torch", "ipykernel"), reason="no Python with torch and ipykernel"
                ),
            ],
        ),
    ],
    ids=["as tests run", "with torch"],
)
def test_it_does_what_it_tells(python: Path | str, tmp_path: Path) -> None:
    notebook = run_notebook(tmp_path, str(python))
    said, known = texts(notebook), texts(KEPT)
    as_promised(said)
    assert pictures(notebook)[:3] == ["teach"] * 3
    if has(python, "torch"):
        assert "80 drawings to train on, 20 for validation, 20 to test on" in said["dataset"]
        assert len(re.findall(r"^ +\d+ +\d\.\d\d +% +\d\.\d\d +%$", said["fit"], re.MULTILINE)) == 8, said["fit"]
        assert int(re.findall(r"the network: (\d+) of 40 right", said["fit"])[0]) > 30
        assert pictures(notebook) == pictures(KEPT)
    else:
        assert all("There is no torch here, so nothing is trained" in said[cell] for cell in TRAINED)
    same = said.keys() - TRAINED
    assert {name: said[name] for name in same} == {name: known[name] for name in same}, "make notebook writes them anew"
    assert not list((tmp_path / "tmp").glob("*/data")), "what the server kept is gone with it"


def test_it_is_kept_with_answers_that_tell_nothing_of_the_machine() -> None:
    as_promised(texts(KEPT))
    assert [cell.execution_count for cell in KEPT.cells if cell.cell_type == "code"] == list(range(1, 11))
    outputs = str([cell.get("outputs") for cell in KEPT.cells])
    assert not re.search(r"stderr|warning|/home|/root|/tmp|20\d\d-", outputs, re.IGNORECASE)
    assert all(not cell.metadata for cell in KEPT.cells) and NOTEBOOK.stat().st_size < 64_000
