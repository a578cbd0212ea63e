"""Global options before and behind commands, words that are no commands, and errors as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from haleganada_client import ClientConfig, HaleganadaClient, HaleganadaError

from tests.e2e.cli.command_line import haleganada, haleganada_process
from tests.e2e.processes import ServerProcess, server
from tests.support.slow import slow_rows


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("data")) as process:
        yield process


@pytest.mark.parametrize(
    "line",
    [
        "--server {} stats",
        "stats --server {}",
        "stats --server={} -w default --json",
        "stats -v --server {}",
        "samples --server {} ls",
        "samples ls --server {} -w default",
        "samples -wdefault --json --server {}",
        "workspaces list --server {}",
        "--server 127.0.0.1:1 stats --server {}",  # the one behind the command counts
        "doctor --server {} --timeout 20",
        "models show few-shot --server {}",
        "engines --server {}",
    ],
)
def test_global_options_work_before_and_behind_a_command(running: ServerProcess, line: str) -> None:
    done = haleganada(*line.format(running.address).split())
    assert done.returncode in (0, 1) and "Usage" not in done.stderr, done.stderr  # doctor warns of what is missing here
    assert "doctor" in line or done.returncode == 0, done.stderr
    if "--json" in line:
        json.loads(done.stdout)
    if "-v" in line:
        assert "StatsRequest" in done.stderr


def test_a_workspace_behind_the_command_is_repeated_in_what_to_type_next(running: ServerProcess) -> None:
    haleganada("workspaces", "create", "other", "--server", running.address)
    done = haleganada("predict", "-", "-w", "other", "--server", running.address, stdin=b"no picture")
    assert done.returncode == 1
    empty = haleganada("stats", "-w", "other", "--server", running.address, "--json")
    assert json.loads(empty.stdout)["samples_total"] == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("statz", "did you mean stats?"),
        ("list", "these have a command ls: datasets, jobs"),
        ("teach", "did you mean train?"),
        ("xyzzy", "choose one of up, serve"),
        ("jobs remove x", "did you mean delete?"),
        ("samples 3", "haleganada samples show 3"),
        ("stats --histroy 3", "did you mean --history?"),
        ("stats --servr x", "did you mean --server?"),
    ],
)
def test_a_slip_of_the_finger_is_understood(line: str, words: str) -> None:
    done = haleganada(*line.split())
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("line", ["web --serve-r x", "web --insecur", "workspaces delete x --confrm", "train --agan"])
def test_no_option_that_takes_a_protection_away_is_proposed(line: str) -> None:
    done = haleganada(*line.split())
    assert done.returncode == 2
    assert not any(option in done.stderr for option in ("--insecure", "--confirm", "--again"))


@pytest.mark.parametrize(
    ("option", "hint"),
    [("--insecur", "serve --help"), *slow_rows(("--server", "serve --help"), ("--lisen", "--listen?"))],
)
def test_the_server_s_own_program_proposes_as_carefully(option: str, hint: str) -> None:
    done = haleganada_process("serve", option, "x")
    assert done.returncode == 2 and hint in done.stderr and "--insecure" not in done.stderr


@pytest.mark.parametrize(
    "line", ["help", "help train", "samples help", "samples help show", "help samples show", "stats --help"]
)
def test_help_helps(line: str) -> None:
    done = haleganada(*line.split())
    assert done.returncode == 0 and done.stdout.startswith("Usage: haleganada")
    assert ("samples show" in done.stdout) == line.endswith("show")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("--json stats --server 127.0.0.1:1", 3),
        ("stats --json --server 127.0.0.1:1", 3),
        ("stats --no-such --json", 2),
        ("--json nothing", 2),
        ("stats --json --server nowhere", 2),
        ("train x /no/such.png --json", 2),
    ],
)
def test_errors_are_json_where_answers_are(line: str, code: int) -> None:
    done = haleganada(*line.split())
    assert done.returncode == code and not done.stdout
    error = json.loads(done.stderr)["error"]
    assert error["exit_code"] == code and error["message"]


@pytest.mark.parametrize(
    ("settings", "setting", "options", "option"),
    [
        ({"target": "127.0.0.1:1"}, "the setting target", "--server 127.0.0.1:1", "--server"),
        ({"target": "nowhere"}, "the setting target", "--server nowhere", "--server"),
        ({"target": "box.example:1", "token": "x"}, "the setting ca", "--server box.example:1 --token x", "--ca"),
    ],
)
def test_settings_go_by_the_name_that_they_have_where_they_are_given(
    settings: dict[str, str], setting: str, options: str, option: str
) -> None:
    with (
        pytest.raises(HaleganadaError, match=setting) as told,
        HaleganadaClient(config=ClientConfig(**settings, retry=False)) as client,  # type: ignore[arg-type]
    ):
        client.stats()
    assert "--" not in told.value.message
    said = haleganada(*options.split(), "stats").stderr
    assert option in said and "setting" not in said
