"""networks that learn online, on the command line and in the SDK. What learns is a process without torch, for which the
learning rate is the seconds that a drawing takes (tests/support/learning/stand_in.py).
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from haleganada_client import FailedPrecondition, HaleganadaClient, OnlineSettings

from tests.conftest import RunningServer
from tests.e2e.cli.command_line import haleganada
from tests.e2e.pictures import LINES, picture
from tests.e2e.processes import server, zigzag
from tests.support.learning.servers import learning_server

QUICK = 0.001


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with learning_server(tmp_path_factory.mktemp("data")) as started:
        yield started


class Terminal:
    """Runs commands for one workspace of a server."""

    def __init__(self, address: str, workspace: str) -> None:
        self._shared = ["--server", address, "-w", workspace]

    def __call__(self, *arguments: str | Path, code: int = 0) -> str:
        """What a command prints, on whichever stream it should."""
        done = haleganada(*self._shared, *arguments)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stderr if code else done.stdout


@pytest.fixture
def client(running: RunningServer) -> Iterator[HaleganadaClient]:
    """In a workspace of this test's own, which gives its network up in the end: a server has few."""
    with HaleganadaClient(running.address, workspace=f"along-{uuid4()}", timeout_s=30) as client:
        client.create_workspace(client.config.workspace)
        yield client
        client.models.activate("few-shot")


@pytest.fixture
def run(running: RunningServer, client: HaleganadaClient) -> Terminal:
    return Terminal(running.address, client.config.workspace)


@pytest.fixture
def cross(tmp_path: Path) -> Path:
    path = tmp_path / "cross.png"
    path.write_bytes(picture(LINES["cross"]))
    return path


def test_a_network_learns_along_and_gives_way_again(run: Terminal, client: HaleganadaClient, cross: Path) -> None:
    run("train", "x", cross)
    output = run("models", "use", "cnn36", "--online", "--learning-rate", str(QUICK), "--replay", "0")
    assert "which starts from a new cnn36" in output and "models use few-shot` goes back" in output
    assert run("train", "+", cross, "--wait-learned").endswith("the online network has learned it, too\n")
    assert "2 learned, 0 to learn; answers include changes up to revision 2" in run("workspaces")
    assert "online, from cnn36" in run("stats")
    assert run("predict", cross).endswith("answered by the online network\n")
    assert "answered" not in run("predict", cross, "--model", "few-shot")
    assert json.loads(run("predict", cross, "--json"))[0]["model"] == "online"
    info = client.get_workspace()
    assert info.model == "online" and info.online is not None and info.online.settings.replay == 0
    assert "now uses few-shot" in run("models", "use", "few-shot")
    assert client.get_workspace().online is None and "answered" not in run("predict", cross)
    refused = run("predict", cross, "--model", "online", code=5)
    assert "no network learns online" in refused and "models use cnn36 --online" in refused and "wait" not in refused


def test_what_is_learned_anew_is_said(run: Terminal, client: HaleganadaClient) -> None:
    client.models.activate("cnn36", online=OnlineSettings(learning_rate=0.3))
    first, last = client.train(zigzag(1), "z"), client.train(zigzag(2), "n", wait_learned_s=20)
    assert last.learned
    output = run("forget", str(first.sample_id))
    assert f"forgot sample {first.sample_id}; " in output and "is relearning the later samples; `haleganada " in output
    assert "is relearning" in run("undo") and "is relearning" in run("relabel", str(first.sample_id), "m")
    assert set(json.loads(run("forget", str(first.sample_id), "--json"))) == {"revision"}


def test_nobody_waits_for_it_who_does_not_want_to(run: Terminal, client: HaleganadaClient, cross: Path) -> None:
    for hand in range(20):
        client.train(zigzag(1, hand), "z")
    output = run("models", "use", "starter", "--online", "--learning-rate", "1")
    assert "starts from the model starter" in output
    assert "few-shot answers until it has learned the 20 drawings taught so far\n" in output
    client.models.activate("cnn36", online=OnlineSettings(learning_rate=1.0, seed=1))
    assert json.loads(run("train", "x", cross, "--json", "--wait-learned", "0"))["learned"] is False
    late = run("train", "x", cross, "--wait-learned", "0.2")
    assert "the online network has not learned it yet; `haleganada " in late
    assert "the online network has not learned it yet" in run("train", "x", cross, "--wait-learned", "0")
    output = json.loads(run("stats", "--json"))
    assert output["model"] == "online" and output["online"]["start"] == "cnn36" and output["online"]["samples_left"] > 0


def test_a_model_names_the_workspaces_that_learn_along_from_it(run: Terminal, client: HaleganadaClient) -> None:
    run("models", "use", "starter", "--online")
    here = client.config.workspace
    assert f"{here} (online)" in run("models") and f"{here} (online)" in run("models", "show", "starter")
    assert client.models.get("starter").online_in == (here,)
    run("models", "use", "starter")
    assert here in run("models") and f"{here} (online)" not in run("models")


def test_who_answers_at_first_depends_on_what_it_starts_as(run: Terminal) -> None:
    assert "few-shot answers until two labels are taught\n" in run("models", "use", "cnn36", "--online")
    output = run("models", "use", "starter", "--online")
    assert "it answers with that model's labels, and learns those that you teach\n" in output


def test_the_sdk_waits_if_it_is_asked_to(client: HaleganadaClient) -> None:
    assert client.models.activate("cnn36", online=True).settings == OnlineSettings(32, 5, 0.001, 0.01)
    assert client.predict(zigzag(1)).model == "few-shot"
    assert not client.train(zigzag(1), "z").learned
    taught = client.train(zigzag(2), "n", wait_learned_s=20)
    assert taught.learned
    answer = client.predict(zigzag(1, hand=2))
    assert (answer.model, answer.revision) == ("online", taught.revision) and answer.best is not None
    assert client.predict(zigzag(1), model="few-shot").model == "few-shot"


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("cnn36", "--replay", "4"), 2, "needs --online"),
        (("cnn36", "--online", "--replay", "1025"), 2, "0<=x<=1024"),
        (("nothing", "--online"), 4, "nothing"),
        (("resnet18", "--online"), 5, "cnn36"),
    ],
)
def test_what_cannot_learn_along(run: Terminal, command: tuple[str, ...], code: int, words: str) -> None:
    output = run("models", "use", *command, code=code)
    assert words in output and output.count("\n") == 1


def test_one_drawing_is_waited_for(run: Terminal, cross: Path) -> None:
    for seconds in ((), ("0",)):
        output = run("train", "x", cross, "--wait-learned", *seconds)
        assert output.endswith("this workspace has no online network; few-shot has learned it\n")
    assert "works with one drawing" in run("train", "--folder", cross.parent, "--wait-learned", code=2)
    assert "0<=x<=60" in run("train", "x", cross, "--wait-learned", "61", code=2)


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed here")
def test_without_torch_it_says_what_to_install(tmp_path: Path) -> None:
    with server(tmp_path) as process, process.client() as client:
        run = Terminal(process.address, "default")
        assert "pip install -e '.[train]'" in run("models", "use", "cnn36", "--online", code=5)
        with pytest.raises(FailedPrecondition) as refused:
            client.models.activate("starter", online=OnlineSettings(steps=1))
        assert refused.value.reason == "TORCH_NOT_INSTALLED"
        assert client.get_workspace().model == "few-shot" and client.get_workspace().online is None
