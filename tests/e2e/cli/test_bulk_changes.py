"""What one command changes in bulk is told, taken back as one, and not ended by one thing that is wrong."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image, ImageDraw

from tests.e2e.cli.command_line import AS_AT_A_TERMINAL, Done, haleganada
from tests.e2e.processes import ServerProcess, server
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("data")) as process:
        yield process


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """x/ with three crosses, o/ with three boxes."""
    root = tmp_path_factory.mktemp("pictures")
    for folder in ("x", "o"):
        (root / folder).mkdir()
        for i in range(3):
            image = Image.new("L", (240, 240), 255)
            pen = ImageDraw.Draw(image)
            if folder == "x":
                pen.line((40, 40, 200, 200 + 5 * i), fill=0, width=10)
                pen.line((200, 40, 40 + 5 * i, 200), fill=0, width=10)
            else:
                pen.rectangle((50, 50 + 6 * i, 190, 190), outline=0, width=10)
            image.save(root / folder / f"{i}.png")
    return root


class Shell:
    """Commands in a workspace of their own."""

    def __init__(self, address: str) -> None:
        self.shared = ["--server", address, "-w", f"bulk-{uuid4()}"]
        self("workspaces", "create", self.shared[-1])

    def __call__(self, *words: str | Path, code: int = 0) -> Done:
        done = haleganada(*self.shared, *words)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done

    def json(self, *words: str | Path, code: int = 0) -> Any:
        return json.loads(self(*words, "--json", code=code).stdout)

    def samples(self) -> int:
        return int(self.json("stats")["samples_total"])


@pytest.fixture
def shell(running: ServerProcess) -> Shell:
    return Shell(running.address)


def test_a_taught_folder_is_taken_back_as_one(shell: Shell, pictures: Path) -> None:
    shell("train", "x", pictures / "x/0.png")
    assert re.search(r"undo --batch --revision \d+` takes back", shell("train", "--folder", pictures).stdout)
    assert shell.samples() == 7
    assert "a batch of 6 changes" in shell("undo", "--batch").stdout
    assert shell.samples() == 1
    refusal = shell("undo", "--batch", code=5)
    assert "the last change (teach) belongs to no batch" in refusal.stderr
    shell("undo")
    assert shell.samples() == 0
    assert shell.json("train", "--folder", pictures, "--again")["taught"] == 6
    assert shell.json("undo", "--batch")["changes"] == 6


def test_drawings_of_no_label_are_skipped_and_told(shell: Shell, pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(pictures / "x", tmp_path / "set/x")
    shutil.copytree(pictures / "o", tmp_path / "set/999")
    taught = shell("train", "--folder", tmp_path / "set")
    assert shell.samples() == 3 and "999 holds drawings of none of the labels and is skipped" in taught.stderr
    shutil.make_archive(str(tmp_path / "set"), "zip", tmp_path / "set")
    imported = shell("import", tmp_path / "set.zip")
    assert "the folder 999 holds drawings of none of the labels and was skipped" in imported.stdout


def test_two_batches_are_taken_back_one_by_one(shell: Shell, pictures: Path) -> None:
    shell("train", "x", str(pictures / "x/*.png"))
    shell("train", "ಕಿ", str(pictures / "o/*.png"), "--variant-of", "ಕ")
    assert shell.json("undo", "--batch")["changes"] == 3 and shell.samples() == 3
    assert shell.json("undo", "--batch")["changes"] == 3 and shell.samples() == 0


def test_the_same_drawing_is_told_and_skipped_if_asked(shell: Shell, pictures: Path, tmp_path: Path) -> None:
    cross = pictures / "x/0.png"
    Image.open(cross).save(tmp_path / "same.webp", lossless=True)  # the same drawing in another file
    shell("train", "x", cross)
    assert "taught before, as sample 1; --skip-known" in shell("train", "x", tmp_path / "same.webp").stdout
    skipped = shell.json("train", "x", cross, "--skip-known")
    assert (skipped["duplicate"], skipped["known_sample_id"], skipped["sample_id"]) == (True, 1, 1)
    assert "known as x, sample 1" in shell("train", "x", cross, "--skip-known").stdout
    assert shell.json("train", "y", cross, "--skip-known")["known_sample_id"] == 0  # another label is another lesson
    assert shell.samples() == 3


def test_known_drawings_of_a_folder_are_counted_or_skipped(shell: Shell, pictures: Path, tmp_path: Path) -> None:
    shell("train", "x", pictures / "x/0.png")
    skipped = shell.json("train", "--folder", pictures, "--skip-known")
    assert skipped == {"taught": 5, "duplicates": 0, "known": 1, "refused": []}
    shutil.copytree(pictures / "x", tmp_path / "renamed" / "x")
    for file in (tmp_path / "renamed" / "x").iterdir():
        file.rename(file.with_name(f"new-{file.name}"))
    told = shell("train", "--folder", tmp_path / "renamed").stdout
    assert "of them, 3 drawings known already" in told and shell.samples() == 9
    shell("forget", "1")
    assert shell.json("train", "--folder", tmp_path / "renamed", "--skip-known")["taught"] == 0


def test_a_missing_file_does_not_end_the_rest(shell: Shell, pictures: Path) -> None:
    missing = pictures / "none.png"
    taught = shell.json("train", "x", pictures / "x/0.png", missing, pictures / "x/1.png", code=1)
    assert taught["taught"] == 2 and taught["refused"] == [
        {"file": str(missing), "error": "cannot be read: No such file or directory"}
    ]
    answers = shell.json("predict", pictures / "x/2.png", missing, code=1)
    assert "candidates" in answers[0] and answers[1]["error"]["message"].startswith("cannot be read")
    assert "there is no file" in shell("predict", missing, code=2).stderr


def test_several_samples_are_forgotten_and_brought_back(shell: Shell, pictures: Path) -> None:
    shell("train", "--folder", pictures)
    forgotten = shell("forget", "3", "4", "99", "5", code=4)
    assert "forgot samples 3, 4, 5" in forgotten.stdout and "haleganada: 99: " in forgotten.stderr
    assert shell.samples() == 3
    assert shell.json("undo", "--batch")["changes"] == 3 and shell.samples() == 6
    assert set(shell.json("forget", "1")) == {"revision"}


def test_a_label_is_renamed(shell: Shell, pictures: Path) -> None:
    shell("train", "--folder", pictures)
    renamed = shell("relabel", "x", "ಅ").stdout
    assert "3 samples of x are now ಅ" in renamed and "undo --batch" in renamed
    assert {label["label"] for label in shell.json("stats")["labels"]} == {"ಅ", "o"}
    assert shell.json("undo", "--batch")["changes"] == 3
    assert {label["label"] for label in shell.json("stats")["labels"]} == {"x", "o"}
    assert shell.json("relabel", "1", "7")["label"] == "7"
    assert shell.json("relabel", "--all", "7", "o")["relabeled"] == [1]
    assert "no samples of the label nothing" in shell("relabel", "nothing", "o", code=4).stderr


def test_snapshots_are_known_by_name(shell: Shell, pictures: Path, tmp_path: Path) -> None:
    shell("train", "x", pictures / "x/0.png")
    shell("save", "first lesson")
    shell("train", "o", pictures / "o/0.png")
    for name in ("second", "twice", "twice"):
        shell("save", name)
    assert "samples" in shell("restore", "first lesson").stdout or shell.samples() == 1
    shell("export", tmp_path / "second.zip", "--snapshot", "second")
    assert "several snapshots are called twice" in shell("restore", "twice", code=2).stderr
    deleted = shell.json("snapshots", "delete", "second", "no such", code=4)
    assert [snapshot["name"] for snapshot in deleted["snapshots"]] == ["second"] and "no such" in deleted["failed"]


def test_an_export_replaces_nothing_unasked(shell: Shell, pictures: Path, tmp_path: Path) -> None:
    shell("train", "x", pictures / "x/0.png")
    file = tmp_path / "mine"
    file.write_text("precious")
    png, html = (Path(shutil.copy(file, tmp_path / f"mine.{ending}")) for ending in ("png", "html"))
    refused: list[list[str | Path]] = [
        ["export", file],
        ["samples", "show", "1", "--to", png],
        ["datasets", "preview", "any", "cnn36", png],
        ["fit", "cnn36", "--data", "any", "--preview", png],
        ["predict", pictures / "x", "--save-viz", html],
    ]
    for words in refused:
        assert "--overwrite replaces it" in shell(*words, code=2).stderr
    assert "--overwrite replaces" in shell("evaluate", "few-shot", "--data", "any", "--out", tmp_path, code=2).stderr
    assert file.read_text() == png.read_text() == html.read_text() == "precious"
    shell("predict", pictures / "x", "--overwrite", "--save-viz", html)
    assert html.read_text().startswith("<!doctype html>")
    shell("export", file, "--overwrite")
    assert file.read_bytes().startswith(b"PK")


def test_code_points_that_were_asked_for_are_not_told(shell: Shell, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "65").mkdir()
    shutil.copy(pictures / "x/0.png", tmp_path / "65")
    assert "65 is “A”" in shell("train", "--folder", tmp_path).stderr
    chosen = shell("train", "--folder", tmp_path, "--folder-names", "code-points", "--again")
    assert not chosen.stderr and "learned 1 drawing" in chosen.stdout


def test_ctrl_c_says_how_far_it_came(running: ServerProcess, pictures: Path, tmp_path: Path) -> None:
    shell = Shell(running.address)
    (tmp_path / "x").mkdir()
    for i in range(4000):
        (tmp_path / "x" / f"{i}.png").symlink_to(pictures / "x/0.png")
    line = [sys.executable, "-c", AS_AT_A_TERMINAL, *shell.shared, "train", "--folder", str(tmp_path)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: shell.samples() > 0)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130 and not stdout
    assert "of 4,000 drawings were learned so far; repeat the command" in stderr and "undo --batch" in stderr
