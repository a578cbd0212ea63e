"""`haleganada fit --starter` uses the server's data set “starter”; where there is none, it says what is needed."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.e2e.cli.command_line import haleganada_process
from tests.e2e.server.training.test_jobs import server
from tests.support.jobs.datasets import crosses_and_bars


def test_the_servers_own_data_set_is_used(tmp_path: Path) -> None:
    with server(tmp_path / "data") as running:
        fit = ("--server", running.address, "fit", "tiny-cnn", "--epochs", "1", "--json")
        result = haleganada_process(*fit, "--starter", HALEGANADA_DATA="")
        assert result.returncode == 2 and "--sources FOLDER" in result.stderr
        with running.client() as client:
            dataset = client.datasets.upload(crosses_and_bars(tmp_path), name="starter")
        done = haleganada_process(*fit, "--starter", HALEGANADA_DATA="")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["training"]["dataset_id"] == dataset.dataset_id
        for wrong in (fit, (*fit, "--starter", "--data", "starter")):
            result = haleganada_process(*wrong)
            assert result.returncode == 2 and "--data NAME, --render TEXT or --starter" in result.stderr


@pytest.mark.skipif(find_spec("cv2") is not None, reason="the train extra is installed here")
def test_the_error_names_the_missing_extra(tmp_path: Path) -> None:
    with server(tmp_path / "data") as running:
        result = haleganada_process("--server", running.address, "fit", "cnn36", "--starter", "--sources", tmp_path)
    assert result.returncode == 1 and "-e '.[train]'" in result.stderr
    assert "on this machine" in result.stderr


def test_the_help_says_what_building_the_data_set_needs() -> None:
    text = " ".join(haleganada_process("fit", "--help").stdout.split())
    assert "if the server does not have it yet. This needs the train extra on this machine" in text
