"""The command line against a real server: every command, its words, its JSON and its exit codes."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from haleganada_client.cli.root import SECTIONS
from haleganada_client.label_text import differ_as_text
from PIL import Image, ImageDraw

from tests.e2e.cli.command_line import haleganada, haleganada_process
from tests.e2e.processes import ServerProcess, server
from tests.support.waiting import wait_until


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


class Terminal:
    """Runs commands for one workspace of a server."""

    def __init__(self, address: str, workspace: str) -> None:
        self.workspace = workspace
        self.shared = ["--server", address, "-w", workspace]

    def __call__(self, *arguments: str | Path, stdin: bytes | None = None) -> str:
        """What a command that succeeds prints."""
        done = haleganada(*self.shared, *arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        assert not done.stderr, "a program would see this among its errors"
        return done.stdout

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self(*arguments, "--json"))

    def fails(self, code: int, *arguments: str | Path, stdin: bytes | None = None) -> str:
        """The one line of a command that fails."""
        done = haleganada(*self.shared, *arguments, stdin=stdin)
        assert done.returncode == code, (done.stdout, done.stderr)
        assert not done.stdout and done.stderr.count("\n") == 1 and done.stderr.startswith("haleganada: ")
        return done.stderr


@pytest.fixture
def run(running: ServerProcess) -> Terminal:
    """Commands in a workspace of this test's own."""
    terminal = Terminal(running.address, f"cli-{uuid4()}")
    terminal("workspaces", "create", terminal.workspace)
    return terminal


def test_teach_and_recognize(run: Terminal, pictures: Path) -> None:
    assert "learned x as sample 1; 1 label, 1 sample known" in run("train", "x", pictures / "x/0.png")
    assert "ಅ" in run("train", "ಅ", "-", stdin=(pictures / "U+0C85/0.png").read_bytes())
    answer = run.json("predict", pictures / "x/1.png")
    assert answer[0]["file"] == str(pictures / "x/1.png") and answer[0]["decision"] == "recognized"
    assert answer[0]["candidates"][0]["label"] == "x"
    text = run("predict", "-", stdin=(pictures / "U+0C85/2.png").read_bytes())
    assert text.startswith("-: recognized") and all(word in text for word in ("ಅ", "U+0C85", "%", "none of these"))


def test_the_size_of_the_script(run: Terminal, pictures: Path) -> None:
    run("train", "x", pictures / "x/0.png")
    run("train", "ಅ", pictures / "U+0C85/0.png")
    ask: list[str | Path] = ["predict", pictures / "x/1.png"]
    known, told = run.json(*ask)[0], run.json(*ask, "--script-labels", "2")[0]
    assert told["unknown_probability"] < known["unknown_probability"]
    assert "--script-labels" in run.fails(2, *ask, "--script-labels", "-2")


def test_nothing_taught_yet_is_an_answer(run: Terminal, pictures: Path) -> None:
    assert f"-w {run.workspace} train" in run("predict", pictures / "x/0.png")
    assert run.json("predict", pictures / "x/0.png")[0]["decision"] == "nothing_taught"


def test_folders_are_taught_once(run: Terminal, pictures: Path, tmp_path: Path) -> None:
    first = run.json("train", "--folder", pictures)
    assert first == {"taught": 6, "duplicates": 0, "known": 0, "refused": []}
    assert "learned 0 drawings, 6 taught before" in run("train", "--folder", pictures)
    elsewhere = tmp_path / "copied"
    shutil.copytree(pictures / "U+0C85", elsewhere / "3205")  # the same letter, spelled in another way
    again = haleganada(*run.shared, "train", "--folder", elsewhere, "--json")
    assert json.loads(again.stdout)["duplicates"] == 3 and "3205 is “ಅ”" in again.stderr
    once_more = haleganada(*run.shared, "train", "--folder", elsewhere, "--again", "--json")
    assert json.loads(once_more.stdout)["taught"] == 3
    assert run.json("stats")["samples_total"] == 9


def test_an_interrupted_folder_is_taught_to_its_end(run: Terminal, pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(pictures / "x", tmp_path / "x")
    run("train", "--folder", tmp_path)
    shutil.copytree(pictures / "U+0C85", tmp_path / "U+0C85")
    assert run.json("train", "--folder", tmp_path) == {"taught": 3, "duplicates": 3, "known": 0, "refused": []}


def test_several_pictures_of_one_label(run: Terminal, pictures: Path) -> None:
    assert run.json("train", "x", *sorted((pictures / "x").iterdir()))["taught"] == 3
    form = haleganada(*run.shared, "train", "ಕಿ", pictures / "U+0C85/0.png", "--variant-of", "ಕ")
    assert form.returncode == 0 and "which is different text" in form.stderr
    assert run.json("predict", pictures / "U+0C85/1.png")[0]["candidates"][0]["canonical"] == "ಕ"
    assert "form of ಕ" in run("predict", pictures / "U+0C85/1.png")


def test_a_label_s_pictures_may_be_named_by_a_pattern(run: Terminal, pictures: Path) -> None:
    assert run.json("train", "x", str(pictures / "x/*.png")) == {
        "taught": 3,
        "duplicates": 0,
        "known": 0,
        "refused": [],
    }
    assert run.json("train", "x", str(pictures / "x/*.png"))["duplicates"] == 3
    assert "there is no file" in run.fails(2, "train", "x", str(pictures / "x/*.webp"))
    assert "works with one drawing" in run.fails(2, "train", "x", str(pictures / "x/*.png"), "--wait-learned")


def test_folders_in_the_wrong_place_have_a_remedy(run: Terminal, pictures: Path) -> None:
    assert "the folder above" in run.fails(2, "train", "--folder", pictures / "x")
    output = run.fails(2, "train", "x", pictures / "x")
    assert "--folder" in output
    assert "learned 3 drawings" in follow(between_ticks(output))


def test_what_is_no_picture_is_said_to_be_skipped(run: Terminal, pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(pictures / "x", tmp_path / "x")
    for name in ("a.svg", "b.pdf", ".hidden.svg"):
        (tmp_path / "x" / name).write_bytes(b"x")
    for words in (["train", "--folder", str(tmp_path)], ["predict", str(tmp_path)]):
        done = haleganada(*run.shared, *words)
        assert done.returncode == 0 and done.stderr == "2 files skipped: no images\n"


def test_what_is_wrong_with_a_folder_is_listed(run: Terminal, pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(pictures, tmp_path / "p")
    (tmp_path / "p/x/bad.png").write_bytes(b"no picture")
    (tmp_path / "p/loose.png").write_bytes(b"x")
    (tmp_path / "p/U+110000").mkdir()
    done = haleganada(*run.shared, "train", "--folder", tmp_path / "p")
    assert done.returncode == 1 and not done.stderr
    assert "learned 6 drawings, 3 refused:" in done.stdout
    assert all(name in done.stdout for name in ("bad.png", "loose.png", "U+110000"))


def test_many_pictures_have_a_line_each(run: Terminal, pictures: Path, tmp_path: Path) -> None:
    run("train", "--folder", pictures)
    lines = run("predict", pictures).splitlines()
    assert len(lines) == 8 and lines[-1] == "6 drawings: 6 recognized"
    pattern = str(pictures / "*" / "1.png")
    assert [Path(answer["file"]).name for answer in run.json("predict", pattern, "-k", "2")] == ["1.png", "1.png"]
    (tmp_path / "bad.png").write_bytes(b"no picture")
    done = haleganada(*run.shared, "predict", tmp_path, pictures / "x", "--json")
    answers = json.loads(done.stdout)
    assert done.returncode == 1 and answers[0]["error"]["reason"] == "INVALID_INPUT" and len(answers) == 4


def test_pictures_of_answers(run: Terminal, pictures: Path, tmp_path: Path) -> None:
    run("train", "--folder", pictures)
    for name in ("sheet.html", "sheet.svg"):
        run("predict", str(pictures / "*" / "*.png"), "--save-viz", tmp_path / name)
        assert (tmp_path / name).read_text().count("<image") == 6
    run("predict", pictures / "x", "--save-viz", tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert ".svg or .png" in run.fails(2, "predict", pictures, "--save-viz", tmp_path / "sheet.pdf")


def test_a_png_of_answers_says_what_it_needs(
    run: Terminal, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)  # as if it were not installed
    told = run.fails(2, "predict", pictures, "--save-viz", tmp_path / "sheet.png")
    assert "pip install pillow" in told and not (tmp_path / "sheet.png").exists()


def test_a_form_that_says_something_else_is_warned_of(run: Terminal, pictures: Path) -> None:
    for label in ("ಅ", "ಆ"):
        run("train", label, pictures / "x/0.png")
    linked = haleganada(*run.shared, "link", "ಆ", "ಅ")
    assert linked.returncode == 0 and "ಅ now has the forms ಅ, ಆ" in linked.stdout
    assert linked.stderr.startswith(
        "drawings of ಆ are recognized as ಅ from now on, which is different text; `haleganada "
    )


@pytest.mark.parametrize(
    ("form", "canonical", "other"),
    [("ಆ", "ಅ", True), ("ಕಾ", "ಕ", True), ("a", "b", True), ("A", "a", False), ("ſ", "s", False), ("ﬁ", "fi", False),
     ("ಅ, old", "ಅ", False), ("hook", "bar", False), ("ಅ", "a", False), ("2", "3", False)],
)  # fmt: skip
def test_what_differs_as_text(form: str, canonical: str, other: bool) -> None:
    assert differ_as_text(form, canonical) is other


def test_correct_link_unlink_relabel_forget_undo(run: Terminal, pictures: Path) -> None:
    run("train", "x", pictures / "x/0.png")
    found = run.json("predict", pictures / "U+0C85/0.png")
    corrected = run.json("correct", found[0]["prediction_id"], "ಅ")
    assert corrected["taught"]["label"] == "ಅ"
    typo = haleganada(*run.shared, "link", "nosuch", "x")
    assert typo.returncode == 0 and typo.stderr.startswith("nosuch has no drawings yet; ")
    run("undo")
    assert "has the forms x, ಅ" in run("link", "ಅ", "x")
    assert "no longer a form of x" in run("unlink", "ಅ")
    assert "is now y" in run("relabel", "1", "y")
    hint = re.search(rf"-w {run.workspace} undo --revision (\d+)` brings it back", run("forget", "1"))
    assert hint is not None
    run.fails(5, "undo", "--revision", str(int(hint[1]) - 1))  # what somebody else did later stays
    assert "undone: forget y (sample 1)" in run("undo", "--revision", hint[1])
    assert run.json("undo")["kind"] == "relabel"
    assert {sample["label"] for sample in run.json("samples")} == {"x", "ಅ"}


def test_looking(run: Terminal, pictures: Path, tmp_path: Path) -> None:
    assert run("samples") == "no samples\n"
    run("train", "x", pictures / "x/0.png")
    assert "Teach these next:\n  x, which has few samples" in run("stats", "--suspects")
    run("train", "y", pictures / "x/0.png")
    twice = run.json("stats", "--suspects")["near_duplicates"][0]
    assert (twice["label"], twice["other_sample_id"], twice["other_label"]) == ("y", 1, "x")
    found = run("stats", "--suspects")
    assert "two labels" in found and "samples 1 (x) and 2 (y); haleganada" in found and "forget" not in found
    assert all(words in found for words in ("relabel 1 y", "relabel 2 x", "samples show ID --to FILE.png"))
    run("relabel", "1", "y")
    found = run("stats", "--suspects")
    assert "samples 1 (y) and 2 (y); haleganada" in found and found.endswith(f"-w {run.workspace} forget 2\n")
    run("relabel", "1", "x")
    run("forget", "2")
    run("train", "--folder", pictures)
    assert len(run.json("stats", "--history", "2")["history"]) == 2
    assert len(run("samples", "--limit", "2").splitlines()) == 3
    assert {sample["label"] for sample in run.json("samples", "ls", "--label", "ಅ")} == {"ಅ"}
    assert f"-w {run.workspace} samples show 1 " in run.fails(2, "samples", "1")
    run("samples", "show", "1", "--to", tmp_path / "one.png")
    assert "call it" in run.fails(2, "samples", "show", "1", "--to", tmp_path / "one.jpg")
    with Image.open(tmp_path / "one.png") as image:
        assert image.size == (128, 128)


def test_keeping(run: Terminal, pictures: Path) -> None:
    assert run("snapshots") == "no snapshots\n"
    run("train", "--folder", pictures)
    kept = run.json("save", "ಮೊದಲು")
    assert "ಮೊದಲು" in run("snapshots")
    assert "is empty" in run("reset", "--confirm", run.workspace)
    assert any(snapshot["trash"] for snapshot in run.json("snapshots"))
    assert "has 6 samples again" in run("restore", kept["snapshot_id"])


def test_moving(run: Terminal, running: ServerProcess, pictures: Path, tmp_path: Path) -> None:
    run("train", "--folder", pictures)
    for form, name in (("archive", "a.zip"), ("jsonl", "a.jsonl"), ("folder", "f.zip"), ("seed", "s.zip")):
        assert "wrote 6 samples" in run("export", tmp_path / name, "--format", form)
    other = Terminal(running.address, f"{run.workspace}-2")
    other("workspaces", "create", other.workspace)
    assert "imported 6 samples" in other("import", tmp_path / "a.zip")
    assert "6 already known" in other("import", tmp_path / "a.zip", "--format", "archive")
    assert predict_adapted(other, pictures / "x/1.png") == predict_adapted(run, pictures / "x/1.png")


def predict_adapted(run: Terminal, drawing: Path) -> Any:
    """Return the candidates for a drawing, as soon as the head has adapted to all that was taught."""

    def find() -> Any:
        [prediction] = run.json("predict", drawing)
        return None if prediction["provisional"] else prediction["candidates"]

    return wait_until(find)


def test_a_file_that_cannot_be_written_is_called_as_it_was_named(run: Terminal, tmp_path: Path) -> None:
    assert run.fails(1, "export", tmp_path / "none/all.zip") == (
        f"haleganada: {tmp_path}/none/all.zip: No such file or directory\n"
    )


def test_exports_and_imports_can_be_piped(run: Terminal, pictures: Path) -> None:
    run("train", "--folder", pictures)
    line = [sys.executable, "-m", "haleganada_client.cli", *run.shared, "export", "-", "--format", "jsonl"]
    done = subprocess.run(line, capture_output=True, check=True)
    assert {json.loads(line)["label"] for line in done.stdout.splitlines()} == {"x", "ಅ"}
    assert b"wrote 6 samples to standard output" in done.stderr
    run("reset", "--confirm", run.workspace)
    assert "imported 6 samples" in run("import", "-", stdin=done.stdout)


def test_workspaces(run: Terminal) -> None:
    name = f"{run.workspace}-extra"
    run("workspaces", "create", name)
    assert name in run("workspaces") and name in {found["name"] for found in run.json("workspaces", "ls")}
    assert run.workspace in run.fails(5, "workspaces", "create", run.workspace)
    assert "choose one of ls, create, delete" in run.fails(2, "workspaces", name)
    run("workspaces", "delete", name, "--confirm", name)
    assert name not in run("workspaces")


def test_doctor(run: Terminal) -> None:
    text = run("doctor")
    assert "taught and recognized a cross" in text and "fail" not in text
    assert all(finding["state"] in ("ok", "warn") for finding in run.json("doctor"))
    assert not [name for name in run("workspaces").split() if name.startswith("doctor-")]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["predict", "no-such-file.png"], 2),
        (["train", "x", "no-such-file.png"], 2),
        (["train"], 2),
        (["nonsense"], 2),
        (["predict", "x.png", "--top-k", "99"], 2),
        (["reset"], 2),  # nobody is there to be asked
        (["samples", "show", "999"], 4),
        (["forget", "12345"], 4),
        (["restore", "r0-none"], 4),
        (["correct", "none", "x"], 4),
        (["undo"], 5),
        (["reset", "--confirm", "wrong"], 5),
        (["link", "x", "x"], 5),
        (["link", "", "x"], 1),
        (["save", "\n"], 1),
    ],
)
def test_exit_codes(run: Terminal, arguments: list[str], code: int) -> None:
    run.fails(code, *arguments, stdin=b"")


@pytest.mark.parametrize("arguments", [["train", "x", "-"], ["predict", "-"], ["samples", "--json"], ["forget", "999"]])
def test_a_process_of_its_own_says_the_same(run: Terminal, pictures: Path, arguments: list[str]) -> None:
    """All other tests here run the entry point in their own process."""
    run("workspaces", "create", f"{run.workspace}-2")
    picture = (pictures / "x/0.png").read_bytes()
    first = haleganada(*run.shared, *arguments, stdin=picture)
    second = haleganada_process("--server", run.shared[1], "-w", f"{run.workspace}-2", *arguments, stdin=picture)
    assert (first.returncode, first.stderr) == (second.returncode, second.stderr)
    assert first.stdout == second.stdout.replace(f"{run.workspace}-2", run.workspace)


def test_text_that_is_not_utf_8(run: Terminal) -> None:
    assert "UTF-8" in run.fails(2, "link", "caf\udce9", "x")


def test_details_of_errors_on_request(run: Terminal) -> None:
    done = haleganada_process("-v", *run.shared, "forget", "999")
    assert done.returncode == 4 and not done.stdout
    calls, details, line = done.stderr.splitlines()
    assert calls.startswith("DeleteSampleRequest: ") and "reason=SAMPLE_NOT_FOUND" in details
    assert line.startswith("haleganada: ")


def test_no_server(pictures: Path) -> None:
    terminal = Terminal("127.0.0.1:1", "default")
    assert "start one with `haleganada serve`" in terminal.fails(3, "predict", pictures / "x/0.png")
    folder = terminal.fails(3, "train", "--folder", pictures)
    assert "0 of 6 were learned; repeat the command to continue" in folder


def test_a_token_is_not_shown_to_everybody() -> None:
    assert "TLS" in Terminal("box.example:50051", "w").fails(2, "--token", "secret", "stats")


def test_options_may_stand_in_the_environment(run: Terminal, running: ServerProcess) -> None:
    done = haleganada("stats", "--json", HALEGANADA_TARGET=running.address, HALEGANADA_WORKSPACE=run.workspace)
    assert json.loads(done.stdout)["samples_total"] == 0


def test_commands_that_people_are_told_can_be_typed_as_they_stand(
    running: ServerProcess, pictures: Path, tmp_path: Path
) -> None:
    run = Terminal(running.address, f"class {uuid4()}")
    run("workspaces", "create", run.workspace)
    output = between_ticks(run("predict", pictures / "x/0.png"))
    follow(output.replace("LABEL", "x").replace("IMAGE", str(pictures / "x/0.png")))
    correct = run("predict", pictures / "x/1.png").partition("wrong? ")[2]
    assert "learned y" in follow(correct.replace("LABEL", "y"))
    run("export", tmp_path / "all.zip")
    for change in (
        ["forget", "1"],
        ["reset", "--confirm", run.workspace],
        ["import", tmp_path / "all.zip"],
        ["workspaces", "delete", run.workspace, "--confirm", run.workspace],
    ):
        follow(between_ticks(run(*change)))
        assert run.json("stats")["samples_total"] == 2, change


def between_ticks(output: str) -> str:
    return output.partition("`")[2].partition("`")[0]


def follow(command: str) -> str:
    """What a command prints that is typed as it was shown."""
    words = shlex.split(command)
    done = haleganada(*words[1:])
    assert words[0] == "haleganada" and done.returncode == 0, (command, done.stderr)
    return done.stdout


def test_commands_are_told_without_what_the_environment_says(
    run: Terminal, running: ServerProcess, pictures: Path
) -> None:
    run("train", "x", pictures / "x/0.png")
    output = haleganada("forget", "1", HALEGANADA_TARGET=running.address, HALEGANADA_WORKSPACE=run.workspace).stdout
    assert "`haleganada undo --revision 2`" in output


def test_reading_changes_nothing(run: Terminal, pictures: Path) -> None:
    run("train", "--folder", pictures)
    before = run.json("stats")["revision"], len(run.json("workspaces"))
    for command in (
        ["predict", pictures],
        ["stats"],
        ["samples"],
        ["snapshots"],
        ["workspaces"],
        ["samples", "show", "1"],
    ):
        run(*command)
    assert (run.json("stats")["revision"], len(run.json("workspaces"))) == before


def on_a_terminal(*arguments: str | Path, **environment: str) -> str:
    """What a person sees, colors and bars included."""
    controller, terminal = pty.openpty()
    line = [sys.executable, "-m", "haleganada_client.cli", *map(str, arguments)]
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        line, stdin=terminal, stdout=terminal, stderr=terminal, env={**plain, "TERM": "xterm", **environment}
    )
    os.close(terminal)
    seen = b""
    with suppress(OSError):  # how a terminal says that nobody writes any more
        while part := os.read(controller, 65536):
            seen += part
    process.wait(60)
    os.close(controller)
    return seen.decode()


def test_colors_and_bars_are_for_people_who_want_them(run: Terminal, pictures: Path) -> None:
    run("train", "--folder", pictures)
    colored = on_a_terminal(*run.shared, "predict", pictures / "x/0.png")
    assert "\x1b[32mrecognized" in colored and "Recognizing" in colored
    plain = on_a_terminal(*run.shared, "predict", pictures / "x/0.png", NO_COLOR="1")
    assert "recognized" in plain and "\x1b[32m" not in plain
    assert "\x1b" not in run("predict", pictures / "x/0.png")


def test_completion() -> None:
    assert "_HALEGANADA_COMPLETE" in haleganada_process("completion", "bash").stdout
    offered = haleganada_process(_HALEGANADA_COMPLETE="bash_complete", COMP_WORDS="haleganada s", COMP_CWORD="1").stdout
    assert {line.partition(",")[2] for line in offered.split()} == {
        "samples", "save", "segment", "serve", "snapshots", "stats",
    }  # fmt: skip


def test_help_names_every_command_and_exit_code() -> None:
    text = haleganada("--help").stdout
    assert all(f"  {name} " in text for commands in SECTIONS.values() for name in commands)
    assert all(f"{code} " in text.partition("Exit codes")[2] for code in (0, 1, 2, 3, 4, 5, 130))
    assert haleganada().stdout == text


def test_the_version_of_the_client_and_with_verbose_of_the_server(run: Terminal) -> None:
    client = f"haleganada, version {metadata.version('haleganada')}\n"
    assert run("--version") == client
    server = f"server at {run.shared[1]}, version {metadata.version('haleganada')}\n"
    assert run("--version", "--verbose") == run("--verbose", "--version") == client + server
    without_server = Terminal("127.0.0.1:1", "default")("-v", "--version")
    assert without_server.startswith(f"{client}server: no server answers at 127.0.0.1:1; ")
    assert "name a command" in run.fails(2, "-v")


def test_serve_and_pretrain_are_the_servers_own() -> None:
    output = haleganada_process("serve", "--help").stdout
    assert "--listen" in output and output.startswith("Usage: haleganada serve ")
    assert "--insecure" in haleganada_process("serve", "--listen", "0.0.0.0:0").stderr
