"""The command line against a real server: every command, its words, its JSON and its exit codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.e2e.processes import ServerProcess, haleganada, server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("data")) as process:
        yield process


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """x/ and U+0C85/ with three drawings each: a cross and a box."""
    root = tmp_path_factory.mktemp("pictures")
    for i in range(3):
        for folder, lines in (("x", [(40, 40, 200, 200 + i), (200, 40, 40 + i, 200)]), ("U+0C85", None)):
            image = Image.new("L", (240, 240), 255)
            pen = ImageDraw.Draw(image)
            for line in lines or []:
                pen.line(line, fill=0, width=10)
            if lines is None:
                pen.rectangle((50, 50 + 3 * i, 190, 190), outline=0, width=10)
            (root / folder).mkdir(exist_ok=True)
            image.save(root / folder / f"{i}.png")
    return root


@pytest.fixture
def workspace(running: ServerProcess) -> str:
    """A new workspace, named for this test."""
    with running.client() as client:
        name = f"cli-{len(client.list_workspaces())}"
        client.create_workspace(name)
    return name


def run(running: ServerProcess, workspace: str, *arguments: str | Path, stdin: bytes | None = None) -> str:
    done = haleganada("--server", running.address, "-w", workspace, *arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_teach_and_recognise(running: ServerProcess, workspace: str, pictures: Path) -> None:
    assert "learned x as sample 1" in run(running, workspace, "train", "x", pictures / "x/0.png")
    run(running, workspace, "train", "ಅ", "-", stdin=(pictures / "U+0C85/0.png").read_bytes())
    answer = json.loads(run(running, workspace, "predict", "--json", pictures / "x/1.png"))
    assert answer[0]["candidates"][0]["label"] == "x"
    text = run(running, workspace, "predict", pictures / "U+0C85/2.png")
    assert "ಅ" in text and "U+0C85" in text and "%" in text


def test_folders_are_taught_once(running: ServerProcess, workspace: str, pictures: Path) -> None:
    assert "learned 6 drawings" in run(running, workspace, "train", "--folder", pictures)
    assert "learned 0 drawings, 6 were known before" in run(running, workspace, "train", "--folder", pictures)
    answers = json.loads(run(running, workspace, "predict", "--json", "-k", "2", pictures))
    assert len(answers) == 6
    assert all(len(answer["candidates"]) == 2 for answer in answers)


def test_patterns_and_pictures_of_answers(
    running: ServerProcess, workspace: str, pictures: Path, tmp_path: Path
) -> None:
    run(running, workspace, "train", "--folder", pictures)
    sheet = tmp_path / "sheet.html"
    run(running, workspace, "predict", str(pictures / "*" / "*.png"), "--save-viz", sheet)
    assert sheet.read_text().count("<image") == 6


def test_a_bad_file_among_good_ones(running: ServerProcess, workspace: str, pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(pictures, tmp_path / "p")
    (tmp_path / "p/x/bad.png").write_bytes(b"no picture")
    done = haleganada("--server", running.address, "-w", workspace, "train", "--folder", tmp_path / "p")
    assert done.returncode == 1
    assert "learned 6 drawings, 0 were known before, 1 refused" in done.stdout and "bad.png" in done.stdout


def test_correct_link_unlink_relabel_forget_undo(running: ServerProcess, workspace: str, pictures: Path) -> None:
    run(running, workspace, "train", "x", pictures / "x/0.png")
    found = json.loads(run(running, workspace, "predict", "--json", pictures / "U+0C85/0.png"))
    run(running, workspace, "correct", found[0]["prediction_id"], "ಅ")
    assert "has the forms x, ಅ" in run(running, workspace, "link", "ಅ", "x")
    run(running, workspace, "unlink", "ಅ")
    assert "is now y" in run(running, workspace, "relabel", "1", "y")
    run(running, workspace, "forget", "1")
    assert "took back: forget" in run(running, workspace, "undo")
    labels = {sample["label"] for sample in json.loads(run(running, workspace, "samples", "--json"))}
    assert labels == {"y", "ಅ"}


def test_looking(running: ServerProcess, workspace: str, pictures: Path, tmp_path: Path) -> None:
    run(running, workspace, "train", "--folder", pictures)
    assert "samples" in run(running, workspace, "stats", "--suspects")
    assert json.loads(run(running, workspace, "--json", "stats"))["samples_total"] == 6
    run(running, workspace, "samples", "1", "--picture", tmp_path / "one.png")
    assert Image.open(tmp_path / "one.png").size == (128, 128)
    assert len(run(running, workspace, "samples", "--limit", "2").splitlines()) == 3


def test_keeping(running: ServerProcess, workspace: str, pictures: Path, tmp_path: Path) -> None:
    run(running, workspace, "train", "--folder", pictures)
    kept = json.loads(run(running, workspace, "save", "ಮೊದಲು", "--json"))
    assert "ಮೊದಲು" in run(running, workspace, "snapshots")
    for form, name in (("archive", "a.zip"), ("jsonl", "a.jsonl"), ("folder", "f.zip"), ("seed", "s.zip")):
        assert "wrote 6 samples" in run(running, workspace, "export", tmp_path / name, "--format", form)
    run(running, workspace, "reset", "--confirm", workspace)
    assert "learned 6 samples" in run(running, workspace, "import", tmp_path / "a.zip")
    assert "6 were known before" in run(running, workspace, "import", tmp_path / "a.zip")
    assert "has 6 samples again" in run(running, workspace, "restore", kept["snapshot_id"])
    run(running, workspace, "workspaces", "--create", f"{workspace}-2")
    assert f"{workspace}-2" in run(running, workspace, "workspaces")
    run(running, workspace, "workspaces", "--delete", f"{workspace}-2", "--confirm", f"{workspace}-2")


def test_doctor(running: ServerProcess, workspace: str) -> None:
    text = run(running, workspace, "doctor")
    assert "taught and recognised a cross" in text and "fail" not in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["predict", "no-such-file.png"], 2),
        (["forget", "12345"], 4),
        (["undo"], 5),
        (["reset", "--confirm", "wrong"], 5),
        (["restore", "r0-none"], 4),
        (["nonsense"], 2),
        (["predict", "x.png", "--top-k", "99"], 2),
    ],
)
def test_exit_codes(running: ServerProcess, workspace: str, arguments: list[str], code: int) -> None:
    done = haleganada("--server", running.address, "-w", workspace, *arguments)
    assert done.returncode == code
    assert done.stderr and "Traceback" not in done.stderr and not done.stdout


def test_no_server(pictures: Path) -> None:
    done = haleganada("--server", "127.0.0.1:1", "predict", pictures / "x/0.png")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1 and "haleganada serve" in done.stderr


def test_completion() -> None:
    assert "_HALEGANADA_COMPLETE" in haleganada("completion", "bash").stdout
