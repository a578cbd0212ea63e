"""Groups of forms are listed and joined, links that change text are told, and so are letters of another script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image, ImageDraw

from tests.e2e.cli.command_line import Done, haleganada
from tests.e2e.processes import ServerProcess, server, zigzag


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("data")) as process:
        yield process


@pytest.fixture
def shared(running: ServerProcess) -> list[str]:
    """Options for a workspace of the test's own."""
    with running.client() as client:
        name = client.create_workspace(f"links-{uuid4()}").name
    return ["--server", running.address, "-w", name]


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    image = Image.new("L", (240, 240), 255)
    ImageDraw.Draw(image).line((40, 40, 200, 200), fill=0, width=10)
    image.save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_groups_are_listed_and_joined(shared: list[str]) -> None:
    def run(*words: str) -> Done:
        return haleganada(*shared, *words)

    for form, canonical in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        assert run("link", form, canonical).returncode == 0
    assert run("link", "a", "b").returncode == 5
    assert run("link", "a2", "b", "--join").returncode == 0
    assert json.loads(run("links", "--json").stdout) == {"b": ["b1", "a1", "a2", "a"]}
    assert run("undo", "--batch").returncode == 0
    assert {key: set(forms) for key, forms in json.loads(run("links", "--json").stdout).items()} == {
        "a": {"a1", "a2"},
        "b": {"b1"},
    }
    assert run("link", "b", "b1", "--join").returncode == 5


def test_a_form_that_changes_the_text_is_told_everywhere(shared: list[str], drawing: Path) -> None:
    one = haleganada(*shared, "train", "ಆ", drawing, "--variant-of", "ಅ")
    assert one.returncode == 0 and "recognized as ಅ from now on, which is different text" in one.stderr
    many = haleganada(*shared, "train", "ಇ", drawing, drawing, "--variant-of", "ಅ")
    assert "drawings of ಇ are recognized as ಅ" in many.stderr and "unlink 'ಇ'` reverts it" in many.stderr
    prediction = json.loads(haleganada(*shared, "predict", drawing, "--json").stdout)[0]["prediction_id"]
    assert "drawings of ಈ" in haleganada(*shared, "correct", prediction, "ಈ", "--variant-of", "ಅ").stderr
    assert not haleganada(*shared, "train", "old A", drawing, "--variant-of", "ಅ").stderr


def test_a_letter_of_another_script_is_told(running: ServerProcess, shared: list[str]) -> None:
    with running.client() as client:
        for number, label in enumerate([*"ಅಆಇಈಉಊಎಏಐಒಓಔ", "ఠ"]):
            client.train(zigzag(number), label, workspace=shared[-1])
    told = haleganada(*shared, "stats").stdout
    assert "Of another script than nearly all labels:" in told and "ఠ (Telugu)" in told


def test_characters_are_named() -> None:
    rows = json.loads(haleganada("characters", "ఠಠ", "--json").stdout)
    assert [row["script"] for row in rows] == ["Telugu", "Kannada"]
    assert rows[0]["code_point"] == "U+0C20" and rows[0]["name"] == "TELUGU LETTER TTHA"
    assert "KANNADA LETTER TTHA" in haleganada("characters", "ಠ").stdout
