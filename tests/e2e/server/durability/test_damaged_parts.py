"""A server on a data directory in which files are damaged or gone: all of it is listed, says what is lost, and can be
put right.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient, JobState, TrainingSettings
from haleganada_client.errors import DataLoss, NotFound

from tests.e2e.cli.command_line import haleganada, haleganada_process
from tests.e2e.processes import ServerProcess, server, start_preloaded, zigzag
from tests.support.jobs import serve
from tests.support.jobs.datasets import crosses_and_bars


@contextmanager
def server_with_jobs(data: Path) -> Iterator[ServerProcess]:
    running = start_preloaded([serve.__file__, "0", str(data)])
    try:
        yield running
    finally:
        running.kill()


@pytest.mark.slow
def test_workspaces_whose_logs_have_vanished(tmp_path: Path) -> None:
    with server(tmp_path) as running, running.client() as client:
        client.create_workspace("w")
        client.create_workspace("gone")
        for name in ("default", "w", "gone"):
            client.train(zigzag(0), "a", workspace=name)
            kept = client.save("kept", workspace=name)
            client.train(zigzag(1), "b", workspace=name)
        running.kill()
    for path in tmp_path.glob("workspaces/*/log.sqlite3"):
        path.unlink()
    with server(tmp_path) as running, running.client() as client:
        assert [(info.name, info.corrupt) for info in client.list_workspaces()] == [
            ("default", True),
            ("gone", True),
            ("w", True),
        ]
        for name in ("default", "w"):
            with pytest.raises(DataLoss, match=f"“{name}” is missing: .*with 2 samples at revision 2") as loss:
                client.predict(zigzag(0), workspace=name)
            assert loss.value.reason == "WORKSPACE_CORRUPT"
            assert all(word in str(loss.value) for word in ("restore", "reset", "haleganada repair"))
        assert client.reset("default", workspace="default") is None
        assert client.delete_workspace("gone", "gone") is None
        kept = client.list_snapshots(workspace="w")[0]
        restored = client.restore_snapshot(kept.snapshot_id, workspace="w")
        assert (restored.samples_total, restored.revision) == (1, 3)
        for name in ("default", "w"):
            assert client.train(zigzag(2), "c", workspace=name).sample_id == 3
        running.kill()
    with server(tmp_path) as running, running.client() as client:
        sizes = {info.name: (info.samples_total, info.corrupt) for info in client.list_workspaces()}
        assert sizes == {"default": (1, False), "w": (2, False)}


def test_verify_and_repair_a_workspace_whose_log_has_vanished(tmp_path: Path) -> None:
    with server(tmp_path) as running, running.client() as client:
        client.train(zigzag(0), "a")
        client.save("kept")
        client.train(zigzag(1), "b")
        running.kill()
    next(tmp_path.glob("workspaces/*/log.sqlite3")).unlink()
    told = haleganada_process("verify", "--data", str(tmp_path))
    assert told.returncode == 1 and "is missing" in told.stdout and "1 more come from the snapshot" in told.stdout
    done = haleganada_process("repair", "--workspace", "default", "--data", str(tmp_path))
    assert done.returncode == 0 and "its file was missing" in done.stdout, done.stderr
    assert haleganada_process("verify", "--data", str(tmp_path)).returncode == 0
    with server(tmp_path) as running, running.client() as client:
        assert client.get_workspace().samples_total == 1
        assert client.train(zigzag(2), "c").sample_id == 3


@pytest.mark.slow
def test_damaged_data_sets_and_jobs_are_listed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with server_with_jobs(data) as running, running.client() as client:
        path = crosses_and_bars(tmp_path)
        kept, damaged = (client.datasets.upload(path, name=name) for name in ("kept", "damaged"))
        job = client.jobs.start_training("cnn36", "kept", settings=TrainingSettings(epochs=1))
        assert list(client.jobs.watch(job.job_id))[-1].state is JobState.SUCCEEDED
        running.stop()
    (data / "datasets" / damaged.dataset_id / "dataset.json").write_text("{")
    (data / "jobs" / job.job_id / "job.json").write_bytes(b"\x00" * 100)
    with server_with_jobs(data) as running, running.client() as client:
        check_damaged_dataset(client, damaged.dataset_id)
        check_damaged_job(client, job.job_id)
        assert [made.dataset_id for made in client.datasets.list()] == [kept.dataset_id]
        listed = haleganada("--server", running.address, "datasets", "ls").stdout
        assert "damaged" not in listed and "kept" in listed


def check_damaged_dataset(client: HaleganadaClient, dataset_id: str) -> None:
    (listed,) = (made for made in client.datasets.list() if made.damage)
    assert listed.dataset_id == dataset_id and "Delete it and add it again" in listed.damage
    assert client.datasets.get(dataset_id).damage == listed.damage
    for use in (
        lambda: client.jobs.start_training("cnn36", dataset_id),
        lambda: client.jobs.start_evaluation(["few-shot"], dataset_id),
        lambda: client.datasets.preview(dataset_id, "cnn36"),
    ):
        with pytest.raises(DataLoss) as loss:
            use()
        assert loss.value.reason == "DATASET_DAMAGED" and dataset_id in str(loss.value)
    client.datasets.delete(dataset_id)
    with pytest.raises(NotFound):
        client.datasets.get(dataset_id)


def check_damaged_job(client: HaleganadaClient, job_id: str) -> None:
    (listed,) = client.jobs.list()
    assert (listed.job_id, listed.state, listed.error_reason) == (job_id, JobState.FAILED, "JOB_DAMAGED")
    assert "Delete the job" in listed.error
    assert [file.name for file in client.jobs.get(job_id).files] == ["training_history.json"]
    assert list(client.jobs.watch(job_id))[-1].error == listed.error
    with pytest.raises(DataLoss) as loss:
        client.jobs.cancel(job_id)
    assert loss.value.reason == "JOB_DAMAGED"
    assert [m.preset for m in client.models.list()].count("cnn36") == 2, "the starter, and the model that it made"
    client.jobs.delete(job_id)
    assert client.jobs.list() == []
