"""Connection profiles: a file, an argument, an option, and how they go together with the environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from haleganada_client import ClientConfig, HaleganadaClient, InvalidInput, NotFound
from haleganada_client.connection.kept_profiles import choose_default, delete_profile, keep_profile
from haleganada_client.connection.profiles import find_default, list_profiles, profiles_path
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    for name in ("TARGET", "WORKSPACE", "TOKEN", "TOKEN_FILE", "CA", "PROFILE"):
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


def test_a_token_may_stand_in_a_file_of_its_own(profiles: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hlg_1_secret\n")
    profiles.write_text("[lab]\ntoken_file = token\n[both]\ntoken_file = token\ntoken = x\n")
    assert ClientConfig.from_environment("lab") == ClientConfig(token="hlg_1_secret")
    with pytest.raises(InvalidInput, match="both"):
        ClientConfig.from_environment("both")


def test_what_is_kept_leaves_the_rest_of_the_file_as_it_was(profiles: Path) -> None:
    written = f"# by hand\n{PROFILES}\n# the end of far\n"
    profiles.write_text(written.replace("[far]\n", "[far]\nDefault: yes\n"), encoding="utf-8")
    assert find_default() == "far"
    keep_profile("new", {"target": "box.example:1", "token": "50%;#x"})
    assert find_default() == "new" and list_profiles() == ["lab", "far", "new"]
    assert ClientConfig.from_environment() == ClientConfig(target="box.example:1", token="50%;#x")
    keep_profile("new", {"target": "box.example:2"})
    choose_default("lab")
    assert ClientConfig.from_environment().target == "127.0.0.1:1"
    delete_profile("new")
    delete_profile("lab")
    keep_profile("lab", {"target": "127.0.0.1:9"})
    kept = profiles.read_text(encoding="utf-8")
    assert kept.startswith("# by hand\n") and "# the end of far\n" in kept and "Default: yes" not in kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(min_size=1, max_size=12),
    value=st.text(max_size=20).map(str.strip),
    others=st.lists(st.text(alphabet="ab", min_size=1, max_size=3), unique=True, max_size=3),
)
def test_any_name_and_text_comes_back_or_is_refused(name: str, value: str, others: list[str]) -> None:
    profiles_path().unlink(missing_ok=True)
    for other in others:
        keep_profile(other, {"target": "a:1"})
    try:
        keep_profile(name, {"target": "b:1", "workspace": value or "x"})
    except InvalidInput:
        assert list_profiles() == others
        return
    assert ClientConfig.from_environment(name).workspace == (value or "x")
    assert find_default() == name and set(list_profiles()) == {name, *others}


@pytest.mark.parametrize(
    ("given", "target", "tls"),
    [("grpcs://box:1", "box:1", True), ("grpc://box:1/", "box:1", False), ("box:1", "box:1", False)],
)
def test_an_address_may_say_whether_there_is_tls(given: str, target: str, tls: bool) -> None:
    config = ClientConfig(target=given)
    assert (config.target, config.uses_tls) == (target, tls)
