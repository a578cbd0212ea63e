"""A disk that fails to store a change: the workspace's file gets no more, it still answers, and the log says so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from haleganada_client.errors import Unavailable

from tests.e2e.processes import ServerProcess, server, start_preloaded, zigzag

if sys.platform != "linux":
    pytest.skip("SQLite's functions are reached as Linux has them", allow_module_level=True)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], ServerProcess]]:
    """Starts a server whose disk fails while tmp_path/"sync" or tmp_path/"write" exists; kills it at the end."""
    started = []

    def run() -> ServerProcess:
        script = Path(__file__).with_name("failing_disk.py")
        line = (str(script), str(tmp_path), "serve", "--listen", "127.0.0.1:0", "--device", "cpu")
        started.append(start_preloaded([*line, "--data", str(tmp_path / "data")]))
        return started[-1]

    yield run
    for running in started:
        running.kill()


@pytest.mark.parametrize("function", ["sync", "write"])
def test_a_change_that_cannot_be_stored_is_the_last(
    start: Callable[[], ServerProcess], tmp_path: Path, capfd: pytest.CaptureFixture[str], function: str
) -> None:
    running, trigger = start(), tmp_path / function
    with running.client(retry=False) as client:
        client.create_workspace("sound")
        taught = [client.train(zigzag(i), "a").revision for i in range(3)]
        trigger.touch()
        with pytest.raises(Unavailable) as failed:
            client.train(zigzag(3), "a", request_id="lost")
        trigger.unlink()  # the disk seems to work again, as it does after an fsync that has failed
        for call in (lambda: client.train(zigzag(4), "a"), client.undo, lambda: client.reset("default")):
            with pytest.raises(Unavailable) as refused:
                call()
            assert refused.value.reason == failed.value.reason == "WRITING_STOPPED"
            assert "restart" in refused.value.message and str(tmp_path) not in refused.value.message
        assert client.predict(zigzag(0)).candidates[0].label == "a"  # sure or not: it may not have adapted yet
        assert client.get_workspace().revision == taught[-1]
        assert client.train(zigzag(0), "a", workspace="sound").revision == 1
    assert running.stop() == 0
    assert "workspace 'default'" in (logged := capfd.readouterr().err) and "failed to store a change" in logged

    with server(tmp_path / "data") as again, again.client() as client:
        kept = client.get_workspace().revision
        assert kept in (taught[-1], taught[-1] + 1)
        assert client.train(zigzag(3), "a", request_id="lost").revision == taught[-1] + 1
        assert client.train(zigzag(5), "a").revision == taught[-1] + 2
