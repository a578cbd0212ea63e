"""An example opens on a real server: symbols taught, a page read, and both of it removable like anything else."""

from __future__ import annotations

import pytest
from haleganada_client import HaleganadaClient
from haleganada_client.cli.commands.starting.first_steps import FirstSteps, take_first_steps

from tests.bench.reading.scores import edits
from tests.bench.taught.ciphers.lines import load_transcripts
from tests.conftest import RunningServer

pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")
LINES = ("03_4", "02_16", "03_10")  # what the page shows, each in two halves


def test_the_copiale_cipher(server: RunningServer) -> None:
    with HaleganadaClient(server.address) as client:
        done = take_first_steps(server.address, "", starter=False, example="copiale").example
        assert done is not None and (done.workspace, done.taught) == ("copiale", 388)
        page = client.readings.page(done.reading_id, 1)
        read = [glyph.text for word in page.words for glyph in word.glyphs]
        transcripts = load_transcripts("copiale")
        truth = [symbol for line in LINES for symbol in transcripts[line]]
        assert edits(read, truth) < 0.2 * len(truth)

        again = take_first_steps(server.address, "", starter=False, example="copiale").example
        assert again is not None and (again.reading_id, again.taught) == (done.reading_id, 0)
        client.readings.delete(done.reading_id)
        client.delete_workspace(done.workspace, confirm=done.workspace)
        assert "copiale" not in [workspace.name for workspace in client.list_workspaces()]


def test_nothing_is_done_unasked() -> None:
    assert take_first_steps("127.0.0.1:1", "", starter=False, example="") == FirstSteps()
