"""Words that people bring from other programs of this kind, and settings that stand in the environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.e2e.cli.command_line import haleganada, haleganada_process
from tests.e2e.processes import ServerProcess, server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("data")) as process:
        yield process


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    image = Image.new("L", (240, 240), 255)
    ImageDraw.Draw(image).line((40, 40, 200, 200), fill=0, width=10)
    image.save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.mark.parametrize(
    "words", ["--image {} --top_k 5", "--image={} --top-k 5", "--folder {} --top_k=5", "--image {} {}"]
)
def test_options_of_other_programs_are_understood(running: ServerProcess, drawing: Path, words: str) -> None:
    where = drawing.parent if "--folder" in words else drawing
    done = haleganada("--server", running.address, "--json", "predict", *words.format(where, where).split())
    assert done.returncode == 0, done.stderr
    assert {answer["file"] for answer in json.loads(done.stdout)} == {str(drawing)}


def test_a_visualization_may_do_without_a_name(
    running: ServerProcess, drawing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(drawing.parent)
    done = haleganada("--server", running.address, "predict", "--image", drawing, "--save_viz")
    assert done.returncode == 0 and (drawing.parent / "predictions.html").read_text().startswith("<!doctype html>")


def test_ports_and_addresses_may_stand_in_the_environment(tmp_path: Path) -> None:
    done = haleganada_process("serve", "--data", tmp_path, HALEGANADA_LISTEN="no address")
    assert done.returncode == 2 and "no address" in done.stderr and "HALEGANADA_LISTEN" in done.stderr
    for command in ("web", "up"):
        assert "HALEGANADA_PORT" in haleganada(command, HALEGANADA_PORT="99999").stderr
    assert haleganada("web", HALEGANADA_HOST="0.0.0.0").returncode == 2  # refused, because other machines reach it
