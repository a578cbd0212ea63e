"""Drawings that are taught while the server is away: none is lost, none is taught twice, their order is kept."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest
from haleganada_client import HaleganadaClient
from haleganada_client.outbox import KeptLesson, Outbox
from haleganada_client.wire.drawings import encode_png
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import RunningServer
from tests.e2e.cli.command_line import haleganada
from tests.e2e.processes import start_server
from tests.support.network.swallower import line_to
from tests.support.slow import slow
from tests.support.waiting import wait_until

np = pytest.importorskip("numpy")
NOBODY = "127.0.0.1:1"
ROUNDS = [3, *slow(60)]


def picture(number: int) -> bytes:
    """A bar whose place says which it is."""
    image = np.full((64, 64), 255, np.uint8)
    image[8:56, 4 + number % 50 : 10 + number % 50] = 0
    return encode_png(image)


@pytest.fixture(autouse=True)
def outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    path = tmp_path / "kept" / "outbox.sqlite3"
    monkeypatch.setenv("HALEGANADA_OUTBOX", str(path))
    return Outbox(path)


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    path = tmp_path / "drawing.png"
    path.write_bytes(picture(0))
    return path


def labels_of(address: str, workspace: str) -> list[str]:
    """What was taught, in its order."""
    with HaleganadaClient(address, workspace=workspace) as client:
        return [sample.label for sample in client.iter_samples()][::-1]


def test_what_is_taught_offline_is_told_kept_and_sent_in_order(
    server: RunningServer, workspace: str, drawing: Path, outbox: Outbox
) -> None:
    with line_to(server.address) as line:
        line.is_closed = True
        to = ("--server", line.address, "-w", workspace)
        for label in "ಅಆ":
            done = haleganada("train", label, drawing, "--offline-ok", *to)
            assert done.returncode == 0 and "kept 1 drawing, because" in done.stdout, done.stderr
        assert "2 drawings in the outbox" in done.stdout and "outbox send" in done.stdout
        assert haleganada("train", "ಇ", drawing, *to).returncode == 3, "without the option it is an error, as before"
        listed = json.loads(haleganada("outbox", "list", "--json").stdout)
        assert [(one["label"], one["workspace"], one["target"]) for one in listed] == [
            (label, workspace, line.address) for label in "ಅಆ"
        ]
        failed = haleganada("outbox", "send", *to)
        assert failed.returncode == 3 and "0 drawings sent; 2 wait" in failed.stderr
        line.is_closed = False
        done = haleganada("train", "ಇ", drawing, "--offline-ok", *to)
        assert done.returncode == 0 and "learned ಇ" in done.stdout and "sent 2 drawings that waited" in done.stdout
    assert labels_of(server.address, workspace) == ["ಅ", "ಆ", "ಇ"] and not outbox.list()
    assert oct(outbox.path.stat().st_mode)[-3:] == "600"


def test_a_folder_is_kept_too_and_undone_as_one(server: RunningServer, workspace: str, tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / "letters" / label).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "letters" / label / f"{number}.png").write_bytes(picture(number + 10 * ord(label)))
    line = ("train", "--folder", tmp_path / "letters", "--offline-ok", "-w", workspace, "--server")
    assert "kept 6 drawings" in haleganada(*line, NOBODY).stdout
    assert "learned 6 drawings" in haleganada(*line, server.address).stdout
    assert labels_of(server.address, workspace) == list("aaabbb")
    haleganada(*line, server.address)
    assert labels_of(server.address, workspace) == list("aaabbb"), "a repeated folder is taught once"
    haleganada("undo", "--batch", "-w", workspace, "--server", server.address)
    assert labels_of(server.address, workspace) == []
    assert len(json.loads(haleganada("outbox", "--json").stdout)) == 6, "these are for another server"
    said = haleganada("--server", server.address, "outbox", "send").stdout
    assert "sent 0 drawings\n6 drawings for other servers" in said and "--server HOST:PORT outbox send" in said
    assert haleganada("outbox", "discard").returncode == 2
    assert haleganada("outbox", "discard", "99").returncode == 4
    assert "discarded 1 drawing" in haleganada("outbox", "discard", "3").stdout
    assert "discarded 5 drawings" in haleganada("outbox", "discard", "--all").stdout
    assert "nothing waits" in haleganada("outbox").stdout


def test_what_the_server_refuses_stays_with_its_reason_and_holds_up_nothing(
    server: RunningServer, workspace: str, drawing: Path, tmp_path: Path, outbox: Outbox
) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    to = ("--offline-ok", "-w", workspace, "--server", server.address)
    refused = haleganada("train", "x", tmp_path / "bad.png", *to)
    assert refused.returncode == 1 and "refused" in refused.stdout
    assert haleganada("train", "y", drawing, *to).returncode == 0
    assert labels_of(server.address, workspace) == ["y"]
    assert [bool(one.problem) for one in outbox.list()] == [True]
    assert "refused: " in haleganada("outbox").stdout
    elsewhere = haleganada("train", "z", drawing, *to, "-w", "no such workspace")
    assert elsewhere.returncode == 4 and "kept" in elsewhere.stderr and len(outbox.list()) == 2


def test_options_that_contradict_each_other_are_refused(drawing: Path) -> None:
    done = haleganada("train", "x", drawing, "--offline-ok", "--wait-learned")
    assert done.returncode == 2 and "--wait-learned" in done.stderr


def keep(outbox: Outbox, target: str, workspace: str, count: int) -> list[str]:
    """Keep drawings; return their labels."""
    labels = [f"label {number}" for number in range(count)]
    outbox.add(
        KeptLesson(request_id=label, target=target, workspace=workspace, label=label, picture=picture(number))
        for number, label in enumerate(labels)
    )
    return labels


@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_client_that_is_killed_while_it_sends(
    server: RunningServer, workspace: str, outbox: Outbox, rounds: int
) -> None:
    labels = keep(outbox, server.address, workspace, 25 * rounds)
    line = [sys.executable, "-m", "haleganada_client.cli", "outbox", "send", "--server", server.address]
    kills = 0
    while outbox.list() and kills < rounds:
        before = len(outbox.list())
        with subprocess.Popen(line, stdout=subprocess.DEVNULL) as process:
            wait_until(lambda: len(outbox.list()) < before or process.poll() is not None)  # noqa: B023
            time.sleep(random.uniform(0, 0.03))
            process.send_signal(signal.SIGKILL)
        kills += 1
    assert haleganada("outbox", "send", "--server", server.address).returncode == 0
    assert labels_of(server.address, workspace) == labels and not outbox.list() and kills == rounds


def test_a_server_that_is_killed_between_receipt_and_acknowledgement(tmp_path: Path, drawing: Path) -> None:
    first = start_server(tmp_path / "data")
    with line_to(first.address) as line, HaleganadaClient(first.address) as direct:
        to = ("--offline-ok", "--server", line.address, "--timeout", "4")
        line.is_mute = True
        said: list[str] = []
        teacher = threading.Thread(target=lambda: said.append(haleganada("train", "ಅ", drawing, *to).stdout))
        teacher.start()
        wait_until(lambda: direct.stats().samples_total == 1)
        first.kill()
        line.is_closed = True
        line.hang_up()
        teacher.join(90)
        assert "kept 1 drawing" in said[0]
        second = start_server(tmp_path / "data", listen=first.address)
        try:
            line.is_mute = line.is_closed = False
            assert "sent 1 drawing" in haleganada("outbox", "send", "--server", line.address).stdout
            assert labels_of(second.address, "default") == ["ಅ"]
        finally:
            second.kill()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=8)
@given(steps=st.lists(st.sampled_from(["teach", "teach", "send", "away", "back", "mute"]), min_size=4, max_size=9))
def test_whatever_happens_each_drawing_is_taught_once_and_in_order(
    server: RunningServer, outbox: Outbox, steps: list[str]
) -> None:
    workspace = f"outbox {uuid4()}"
    server.app.workspaces.create(workspace)
    taught: list[str] = []
    with line_to(server.address) as line:
        to = ("-w", workspace, "--server", line.address, "--timeout", "1")
        for step in [*steps, "back", "send"]:
            if step == "teach":
                taught.append(f"label {len(taught)}")
                said = haleganada("train", taught[-1], "-", "--offline-ok", *to, stdin=picture(len(taught)))
                assert said.returncode == 0, said.stderr
            elif step == "send":
                done = haleganada("outbox", "send", *to)
            else:
                line.is_closed, line.is_mute = step == "away", step == "mute"
                line.hang_up()
        assert done.returncode == 0, done.stderr
    assert labels_of(server.address, workspace) == taught and not outbox.list()


def test_commands_that_send_at_once_take_turns(server: RunningServer, workspace: str, outbox: Outbox) -> None:
    labels = keep(outbox, server.address, workspace, 40)

    def send() -> None:
        with HaleganadaClient(server.address) as client:
            list(outbox.send(client, patience_s=60))

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    assert labels_of(server.address, workspace) == labels


def test_a_file_that_is_none_is_told_with_its_path(outbox: Outbox, drawing: Path) -> None:
    outbox.path.parent.mkdir()
    outbox.path.write_bytes(b"no database" * 100)
    done = haleganada("train", "x", drawing, "--offline-ok", "--server", NOBODY)
    assert done.returncode == 1 and str(outbox.path) in done.stderr
