"""An import that is stopped or killed in its middle has taught the whole file or nothing."""

from __future__ import annotations

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient
from haleganada_client.errors import HaleganadaError, Unavailable

from tests.e2e.processes import ServerProcess, server, start_server, zigzag
from tests.support.waiting import wait_until

ITEMS, TAUGHT_BEFORE = 200, 3


def make_file() -> io.BytesIO:
    return io.BytesIO("\n".join(map(_line, range(ITEMS))).encode())


def _line(number: int) -> str:
    drawing = zigzag(number)
    strokes = [{"x": list(stroke.x), "y": list(stroke.y)} for stroke in drawing.strokes]
    ink = {"width": drawing.width, "height": drawing.height, "pen_width": drawing.pen_width, "strokes": strokes}
    return json.dumps({"label": f"label {number % 40}", "time_us": number + 1, "ink": ink})


def teach_before(client: HaleganadaClient) -> None:
    for number in range(TAUGHT_BEFORE):
        client.train(zigzag(number), f"before {number}")


def require_whole(data: Path, *, taught: bool | None) -> None:
    """Check that a file was taught completely or not at all, None = either, and that it can be imported again."""
    with server(data) as again, again.client() as client:
        total = client.stats().samples_total
        assert total in (TAUGHT_BEFORE, TAUGHT_BEFORE + ITEMS)
        assert taught is None or (total > TAUGHT_BEFORE) is taught
        report = client.import_file(make_file(), "jsonl")
        assert (report.imported, report.duplicates) == ((0, ITEMS) if total > TAUGHT_BEFORE else (ITEMS, 0))
        assert client.stats().samples_total == TAUGHT_BEFORE + ITEMS
        assert not list((data / "tmp").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "taught"), [("import.staged", False), ("import.taught", False), ("import.committed", True)]
)
def test_kill_nine_at_each_step(tmp_path: Path, point: str, taught: bool) -> None:
    running = start_server(tmp_path, failpoints=point)
    with running.client(retry=False) as client:
        teach_before(client)
        with pytest.raises(Unavailable):
            client.import_file(make_file(), "jsonl")
    with running.process:
        pass
    require_whole(tmp_path, taught=taught)


def test_sigterm_ends_it_whole_and_says_which(tmp_path: Path) -> None:
    """The time to stop is too short for it, so it ends with nothing taught, or is done; the answer tells which."""
    with (
        ThreadPoolExecutor(1) as pool,
        server(tmp_path, "--grace", "0.2") as running,
        running.client(retry=False) as client,
    ):
        teach_before(client)
        answer = pool.submit(client.import_file, make_file(), "jsonl")
        wait_until(lambda: answer.done() or list((tmp_path / "tmp").iterdir()))
        _stop_soon(running)
        try:
            taught = answer.result().imported == ITEMS
        except HaleganadaError as error:
            assert isinstance(error, Unavailable) and error.reason == "STOPPING", error
            assert "nothing" in error.message
            taught = False
    require_whole(tmp_path, taught=taught)


def _stop_soon(running: ServerProcess) -> None:
    time.sleep(0.05)
    running.process.terminate()
    assert running.process.wait(60) == 0
