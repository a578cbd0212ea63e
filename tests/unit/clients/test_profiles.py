"""Connection profiles: a file, an argument, an option, and how they go together with the environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from haleganada_client import ClientConfig, HaleganadaClient, InvalidInput, NotFound

PROFILES = """
[lab]
target = 127.0.0.1:1
workspace = ಕನ್ನಡ
timeout_s = 2.5
retry = no

[far]
target = ocr.example:443
ca = lab.pem
token = 100%%secret
"""


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "profiles.ini"
    path.write_text(PROFILES.replace("%%", "%"), encoding="utf-8")
    monkeypatch.setenv("HALEGANADA_PROFILES", str(path))
    for name in ("TARGET", "WORKSPACE", "TOKEN", "CA", "PROFILE"):
        monkeypatch.delenv(f"HALEGANADA_{name}", raising=False)
    return path


def test_a_named_profile_stands_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HALEGANADA_TOKEN", "of another server")
    monkeypatch.setenv("HALEGANADA_WORKSPACE", "another")
    lab = ClientConfig(target="127.0.0.1:1", workspace="ಕನ್ನಡ", timeout_s=2.5, retry=False)
    assert ClientConfig.from_environment("lab") == lab
    assert ClientConfig.from_environment("far") == ClientConfig(
        target="ocr.example:443", ca=tmp_path / "lab.pem", token="100%secret"
    )
    with HaleganadaClient(profile="lab", workspace="mine") as client:
        assert (client.config.target, client.config.workspace) == ("127.0.0.1:1", "mine")


def test_the_environment_may_name_a_profile_and_counts_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALEGANADA_PROFILE", "lab")
    monkeypatch.setenv("HALEGANADA_WORKSPACE", "another")
    found = ClientConfig.from_environment()
    assert (found.target, found.workspace, found.retry) == ("127.0.0.1:1", "another", False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[lab]\nserver = x", "no setting “server”"),
        ("[lab]\ntimeout_s = soon", "a number of seconds"),
        ("[lab]\ntls = perhaps", "yes or no"),
        ("target = x", "section"),
    ],
)
def test_a_file_that_is_wrong_is_told_with_its_path(profiles: Path, text: str, message: str) -> None:
    profiles.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=message) as refusal:
        HaleganadaClient(profile="lab")
    assert str(profiles) in refusal.value.message


def test_a_profile_that_does_not_exist(profiles: Path) -> None:
    with pytest.raises(NotFound, match="lab, far"):
        HaleganadaClient(profile="house")
    profiles.unlink()
    with pytest.raises(NotFound, match="there is no file"):
        HaleganadaClient(profile="lab")


@pytest.mark.parametrize("line", [("--profile", "lab", "stats"), ("stats", "--profile", "lab")])
def test_the_command_line_has_profiles(line: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "haleganada_client.cli", *line]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 3 and "127.0.0.1:1" in done.stderr
