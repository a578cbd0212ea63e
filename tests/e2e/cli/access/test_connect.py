"""`haleganada connect`: a server with TLS and tokens is named once, and all clients find it."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from haleganada_client import AsyncHaleganadaClient, ClientConfig, HaleganadaClient, NotAllowed, connect
from haleganada_client.web.wsgi import make_app
from haleganada_server.config import Tls
from haleganada_server.core.access.identity import Role

from tests.conftest import StartServer
from tests.e2e.cli.command_line import Done, haleganada
from tests.support.network.certificates import Pair, make_pair, needs_openssl
from tests.support.tokens import add_token

pytestmark = needs_openssl


@dataclass(frozen=True)
class Box:
    """A server that asks for a token and for a certificate."""

    url: str
    ca: Path
    mine: Pair
    token_file: Path
    profiles: Path

    def connect(self, *words: str | Path) -> Done:
        files = ("--ca", self.ca, "--cert", self.mine.certificate, "--key", self.mine.key)
        return haleganada("connect", self.url, *files, "--token-file", self.token_file, *words)

    @property
    def token(self) -> str:
        return self.token_file.read_text().strip()


@pytest.fixture
def box(tmp_path: Path, start_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    data, profiles, token_file = tmp_path / "data", tmp_path / "settings" / "profiles.ini", tmp_path / "token"
    token_file.write_text(add_token(data, "anna", Role.TEACH, "kannada") + "\n")
    theirs, mine = make_pair(tmp_path, "server"), make_pair(tmp_path, "mine")
    server = start_server(data_dir=data, tls=Tls(theirs.certificate, theirs.key, mine.certificate))
    server.app.workspaces.create("kannada")
    monkeypatch.setenv("HALEGANADA_PROFILES", str(profiles))
    port = server.address.rpartition(":")[2]
    yield Box(f"grpcs://localhost:{port}", theirs.certificate, mine, token_file, profiles)


def test_what_was_connected_to_is_what_every_client_uses(box: Box) -> None:
    done = box.connect()
    assert done.returncode == 0, done.stderr
    assert "with TLS, with a token" in done.stdout and "“localhost”" in done.stdout and "kannada" in done.stdout
    box.token_file.unlink()  # the token was taken over
    assert stat.S_IMODE(box.profiles.stat().st_mode) == 0o600
    stats = haleganada("stats", "--json")
    assert stats.returncode == 0 and json.loads(stats.stdout)["samples_total"] == 0, stats.stderr
    for client in (HaleganadaClient(), connect(), connect("localhost"), HaleganadaClient(profile="localhost")):
        with client:
            assert client.train([[(0, 0), (9, 9)]], "ಅ").label == "ಅ"
    assert AsyncHaleganadaClient().config == ClientConfig.from_environment()
    page = make_app().test_client()
    answer = page.get("/page/workspaces", headers={"Authorization": f"Bearer {HaleganadaClient().config.token}"})
    assert [one["name"] for one in answer.get_json()] == ["kannada"]
    assert page.get("/page/workspaces").status_code == 401, "the page shows nobody the token of who started it"


def test_a_connection_is_listed_chosen_and_forgotten(box: Box) -> None:
    box.connect()
    box.connect("--profile", "lab", "-w", "kannada")
    listed = json.loads(haleganada("connect", "--json").stdout)
    assert [(one["name"], one["default"], one["tls"], one["token"]) for one in listed] == [
        ("localhost", False, True, True),
        ("lab", True, True, True),
    ]
    assert box.token not in haleganada("connect").stdout + haleganada("connect", "--json").stdout
    assert haleganada("connect", "localhost").returncode == 0
    assert [one["default"] for one in json.loads(haleganada("connect", "--json").stdout)] == [True, False]
    done = haleganada("disconnect")
    assert "localhost" in done.stdout and haleganada("disconnect", "localhost").returncode == 4
    assert haleganada("stats", "--profile", "lab").returncode == 0
    haleganada("disconnect", "lab")
    assert box.token not in box.profiles.read_text()
    assert "no connection is kept" in haleganada("connect").stdout
    assert haleganada("disconnect").returncode == 4


def test_nothing_is_kept_of_a_connection_that_fails(box: Box, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("hlg_00000000_guessed")
    for words in (("--token-file", wrong), ("--ca", box.mine.certificate)):
        assert box.connect(*words).returncode in (1, 3)
    assert haleganada("connect", box.url, "--token-file", box.token_file).returncode == 3, "nobody trusts its authority"
    assert haleganada("connect", "house").returncode == 4
    assert haleganada("connect", "grpcs://house").returncode == 2
    assert not box.profiles.exists()
    with pytest.raises(NotAllowed):
        connect(box.url, token_file=wrong, ca=box.ca, cert=box.mine.certificate, key=box.mine.key)


def test_a_token_comes_from_a_file_or_standard_input(box: Box, tmp_path: Path) -> None:
    files = ("--ca", box.ca, "--cert", box.mine.certificate, "--key", box.mine.key)
    line = ("stats", "--server", box.url, *files, "-w", "kannada")
    assert haleganada(*line, "--token-file", box.token_file).returncode == 0
    assert haleganada(*line, "--token-file", "-", stdin=f"{box.token}\r\n".encode()).returncode == 0
    assert haleganada(*line, HALEGANADA_TOKEN_FILE=str(box.token_file)).returncode == 0
    two = haleganada(*line, "--token-file", box.token_file, "--token", "x")
    assert two.returncode == 2 and "both" in two.stderr
    missing = haleganada(*line, "--token-file", tmp_path / "none")
    assert missing.returncode == 2 and "none: No such file" in missing.stderr
    for content in ("", "two tokens"):
        box.token_file.write_text(content)
        refused = haleganada(*line, "--token-file", box.token_file)
        assert refused.returncode == 1 and "token alone" in refused.stderr


def test_a_server_is_not_shown_what_is_meant_for_another(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.connect()
    other = ClientConfig(target="127.0.0.1:1")
    assert HaleganadaClient("127.0.0.1:1").config == ClientConfig.from_environment(target="127.0.0.1:1") == other
    monkeypatch.setenv("HALEGANADA_PROFILE", "localhost")
    assert ClientConfig.from_environment(target="127.0.0.1:1") == other
    monkeypatch.setenv("HALEGANADA_TARGET", "127.0.0.1:1")
    assert ClientConfig.from_environment() == other
