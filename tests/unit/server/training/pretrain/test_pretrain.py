"""The whole command on miniature data: it writes every file of a weights folder, and they match."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner
from haleganada_server.config import ServerConfig
from haleganada_server.runtime.weights import load_weights
from haleganada_server.training.pretrain.command import pretrain
from haleganada_server.training.pretrain.network import NetworkShape
from haleganada_server.training.pretrain.release import calibration, finish
from haleganada_server.training.pretrain.release.card import (
    Source,
    find_changed_inputs,
    find_changed_sources,
    hash_inputs,
)
from haleganada_server.training.pretrain.release.recalibrate import recalibrate
from haleganada_server.training.pretrain.run import Machine
from haleganada_server.training.pretrain.stages import SHIPPED, Stage, run_stages
from haleganada_server.training.pretrain.synthesis.library import Folders

from tests.support.waiting import wait_until


@pytest.fixture
def few_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure and calibrate on a few tasks, as a network that has hardly learned deserves."""
    monkeypatch.setattr(finish, "ONE_SHOT_TASKS", 12)
    monkeypatch.setattr(finish, "FIVE_SHOT_TASKS", 12)
    monkeypatch.setattr(calibration, "WAYS", (2, 20))


@pytest.mark.slow
@pytest.mark.usefixtures("few_trials")
def test_a_tiny_run_gives_weights_that_the_server_loads(data: Path, tmp_path: Path) -> None:
    arguments = ["--data", str(data), "--out", str(tmp_path), "--steps", "2", "--threads", "1", "--renderers", "2"]
    result = CliRunner().invoke(pretrain, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "held-out one-shot error" in result.output
    weights = load_weights(tmp_path)
    assert weights.side == 64
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert card["training"]["steps"] <= 2
    assert "Omniglot" in (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert not list(tmp_path.glob("*.tmp"))
    assert_calibrated_again_as_before(tmp_path, data)


def assert_calibrated_again_as_before(weights: Path, data: Path) -> None:
    card = json.loads((weights / "card.json").read_text(encoding="utf-8"))
    folders = {name: weights / name for name in ("fonts", "cache")}
    folders["fonts"].mkdir()
    options = [part for name, folder in folders.items() for part in (f"--{name}", str(folder))]
    result = CliRunner().invoke(recalibrate, ["--data", str(data), *options, str(weights)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    again = json.loads((weights / "card.json").read_text(encoding="utf-8"))
    assert again["calibration"]["missing_labels"] == card["calibration"]["missing_labels"] > 0
    assert again["calibration"]["temperature"] == pytest.approx(card["calibration"]["temperature"], abs=1e-3)
    assert {figure["name"] for figure in again["figures"]} == {figure["name"] for figure in card["figures"]}


def test_the_data_folder_is_required() -> None:
    result = CliRunner().invoke(pretrain, ["--out", "somewhere"], env={"HALEGANADA_DATA": ""})
    assert result.exit_code == 2
    assert "--data" in result.output


@pytest.mark.parametrize("option", ["--teacher", "--average-with"])
def test_weights_that_cannot_be_trained_further_are_refused_at_once(data: Path, tmp_path: Path, option: str) -> None:
    (tmp_path / "installed").mkdir()
    arguments = [
        "--data",
        str(data),
        "--out",
        str(tmp_path / "out"),
        "--steps",
        "2",
        option,
        str(tmp_path / "installed"),
    ]
    result = CliRunner().invoke(pretrain, arguments)
    assert result.exit_code == 1 and "embedder.safetensors" in result.output
    assert not list((tmp_path / "out").rglob("*.safetensors"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the renderer through /proc")
def test_renderers_end_when_the_trainer_is_killed(data: Path, tmp_path: Path) -> None:
    line = [
        sys.executable,
        "-m",
        "haleganada_server.training.pretrain.command",
        "--data",
        str(data),
        "--out",
        str(tmp_path),
    ]
    trainer = subprocess.Popen([*line, "--steps", "100000", "--threads", "1"], stdout=subprocess.PIPE, text=True)
    try:
        renderer = wait_until(lambda: find_renderer(trainer.pid))
    finally:
        trainer.kill()
        trainer.communicate()
    wait_until(lambda: not is_running(renderer))


def find_renderer(pid: int) -> int:
    """Return the process id of the child that makes batches, or 0 as long as there is none."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    return 0


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_files_that_differ_from_a_card_are_named(data: Path) -> None:
    inputs = hash_inputs(data)
    assert find_changed_inputs({"inputs": inputs}, data) == [] == find_changed_inputs({}, data)
    first = next(iter(inputs))
    changed = {"inputs": inputs | {first: "00", "omniglot/gone.npz": "11"}}
    assert find_changed_inputs(changed, data) == ["omniglot/gone.npz is missing", f"{first} has changed"]


def test_fonts_and_sources_that_differ_from_a_card_are_named() -> None:
    def sources(*names: str) -> list[Source]:
        return [Source(name, "MIT", "drawn") for name in names]

    card = {"sources": [asdict(source) for source in sources("Pens", "Fonts: Gubbi, Navilu")]}
    assert find_changed_sources(card, sources("Pens", "Fonts: Gubbi, Navilu")) == []
    assert find_changed_sources({}, sources("Pens")) == []
    differences = find_changed_sources(card, sources("Fonts: Navilu, Lohit"))
    assert differences == ["Pens is missing", "the font Gubbi is missing", "the font Lohit is new"]


@pytest.mark.slow
@pytest.mark.usefixtures("few_trials")
def test_stages_use_one_another_and_resume(data: Path, tmp_path: Path) -> None:
    wide, narrow = NetworkShape(64, 8), NetworkShape(64, 4)
    stages = (
        Stage("wide", wide, 0, 1, 1),
        Stage("first", narrow, 1, 1, 1, teacher="wide"),
        Stage("last", narrow, 1, 2, 1, teacher="wide", first_checkpoint="first"),
    )
    folders, lines = Folders(data, None, None, tmp_path / "cache"), list[str]()
    run_stages(stages[:1], Machine(), folders, tmp_path, lines.append)
    assert "already done" not in lines and load_weights(tmp_path).side == 64
    run_stages(stages, Machine(), folders, tmp_path, lines.append)
    assert lines.count("already done") == 1 and any("resumed at step 1" in line for line in lines)
    training = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))["training"]
    assert (training["teacher"]["width"], training["averaged"]["width"]) == (8, 4)
    assert training["averaged"]["steps"] == 1 == training["averaged"]["teacher"]["steps"]
    assert load_weights(tmp_path).hash == load_weights(tmp_path / "run" / "last").hash
    lines.clear()
    run_stages(stages, Machine(), folders, tmp_path, lines.append)
    assert lines.count("already done") == 3


def test_the_shipped_weights_are_from_the_last_stage() -> None:
    card = json.loads((ServerConfig(Path()).weights_dir / "card.json").read_text(encoding="utf-8"))
    training, last = card["training"], SHIPPED[-1]
    assert (card["side"], card["width"], training["seed"], training["steps"]) == (80, 24, last.seed, last.steps)
    runs = [training, training["averaged"], training["teacher"], training["teacher"]["averaged"]]
    runs.append(training["teacher"]["teacher"])
    assert [run["steps"] for run in runs] == [stage.steps for stage in reversed(SHIPPED)]


def test_options_of_a_single_network_need_a_budget(data: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        pretrain, ["--data", str(data), "--out", str(tmp_path), "--average-with", str(tmp_path)]
    )
    assert result.exit_code == 2 and "--average-with applies to a single network" in result.output
