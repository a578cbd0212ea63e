"""Nothing acknowledged is lost: kill -9, SIGTERM, a full disk, a damaged file, two servers, many retries."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient, HaleganadaError
from haleganada_client.errors import DataLoss, Exhausted, Unavailable

from tests.e2e.processes import server, start_server, zigzag
from tests.e2e.server.kills.rounds import run_rounds
from tests.support.slow import slow
from tests.support.waiting import wait_until


@pytest.mark.parametrize("rounds", [2, *slow(50)])
def test_kill_nine(tmp_path: Path, rounds: int) -> None:
    acknowledged = run_rounds(tmp_path, rounds, seed=1)
    assert acknowledged > rounds


@pytest.mark.slow
def test_the_numbers_of_labels_survive_kill_nine(tmp_path: Path) -> None:
    with server(tmp_path) as running, running.client() as client:
        client.train(zigzag(0), "a")
        gone = client.train(zigzag(1), "gone")
        client.train(zigzag(2), "b")
        client.forget(gone.sample_id)
        running.kill()
    with server(tmp_path) as again, again.client() as client:
        client.train(zigzag(3), "c")
        client.train(zigzag(1), "gone")
        assert {label.label: label.class_id for label in client.stats().labels} == {"a": 0, "gone": 1, "b": 2, "c": 3}


def test_sigterm_drains_and_exits_with_0(tmp_path: Path) -> None:
    with server(tmp_path) as running, running.client(retry=False) as client, ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(client.train, zigzag(i), f"L{i}") for i in range(60)]
        wait_until(lambda: any(answer.done() for answer in answers))
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 10
        taught = []
        for answer in answers:
            try:
                taught.append(answer.result().sample_id)
            except HaleganadaError as error:
                assert isinstance(error, Unavailable)
    with server(tmp_path) as again, again.client() as client:
        assert {sample.sample_id for sample in client.iter_samples()} >= set(taught)


def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    with server(tmp_path) as running, running.client() as client:
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (700_000, resource.RLIM_INFINITY))
        taught = _teach_until_full(client)
        assert taught > 5
        assert client.predict(zigzag(0)).candidates[0].label == "L0"  # reading goes on
        with pytest.raises(Exhausted):
            client.train(zigzag(1), "again")
        assert client.get_workspace().samples_total == taught
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert client.train(zigzag(2), "room again").samples_total == taught + 1
    with server(tmp_path) as again, again.client() as client:
        assert client.get_workspace().samples_total == taught + 1


def _teach_until_full(client: HaleganadaClient) -> int:
    for i in range(2000):
        try:
            client.train(zigzag(i % 50, i), f"L{i % 50}")
        except Exhausted as error:
            assert error.reason == "DISK_FULL" and error.retry_after_s
            return i
    raise AssertionError("the disk never filled")


def test_a_damaged_file_concerns_its_workspace_only(tmp_path: Path) -> None:
    with server(tmp_path) as running, running.client() as client:
        client.create_workspace("other")
        client.train(zigzag(1), "kept")
        kept = client.save("before the damage")
        client.train(zigzag(2), "ಅ", workspace="other")
        assert running.stop() == 0
    log = next(path for path in tmp_path.glob("workspaces/*/log.sqlite3") if b"kept" in path.read_bytes())
    log.write_bytes(b"not a database at all" * 100)
    with server(tmp_path) as running, running.client() as client:
        with pytest.raises(DataLoss, match="Restore one of its snapshots"):
            client.predict(zigzag(1))
        best = client.predict(zigzag(2), workspace="other").best
        assert best is not None and best.label == "ಅ"
        assert client.restore_snapshot(kept.snapshot_id).samples_total == 1
        best = client.predict(zigzag(1)).best
        assert best is not None and best.label == "kept"


def test_a_second_server_gets_one_clear_sentence(tmp_path: Path) -> None:
    with server(tmp_path):
        line = [sys.executable, "-m", "haleganada_server", "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path)]
        second = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 1
        assert second.stderr.count("\n") == 1 and "--data" in second.stderr and not second.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no open file can be deleted there")
def test_no_second_server_though_the_lock_file_was_deleted(tmp_path: Path) -> None:
    with server(tmp_path) as running, running.client() as client:
        client.train(zigzag(0), "a")
        for spoil in (Path.unlink, lambda file: file.with_name("other").rename(file)):
            (tmp_path / "other").write_text("1\n")
            spoil(tmp_path / "haleganada.lock")
            with pytest.raises(AssertionError, match="ended with 1"):
                start_server(tmp_path)
            client.train(zigzag(1), "b")
        assert running.stop() == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no open folder can be moved there")
def test_a_server_whose_directory_was_replaced_acknowledges_nothing_more_and_stops(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with server(data) as running, running.client(retry=False) as client:
        client.train(zigzag(0), "a")
        data.rename(tmp_path / "moved")
        shutil.copytree(tmp_path / "moved", data)
        with server(data) as second, second.client() as other:
            assert other.train(zigzag(1), "b").revision == 2
            with pytest.raises(Unavailable):  # refused, or stopped already
                client.train(zigzag(1), "b")
            assert running.process.wait(60) == 1


def test_the_same_request_100_times_in_parallel_is_one_sample(tmp_path: Path) -> None:
    with server(tmp_path) as running, ThreadPoolExecutor(32) as pool:
        clients = [running.client() for _ in range(4)]
        jobs = [pool.submit(clients[i % 4].train, zigzag(1), "ಅ", request_id="once") for i in range(100)]
        answers = [job.result() for job in jobs]
        assert len({(answer.sample_id, answer.revision, answer.loss) for answer in answers}) == 1
        assert sum(not answer.duplicate for answer in answers) == 1
        assert clients[0].get_workspace().samples_total == 1
        for client in clients:
            client.close()


def test_a_call_that_was_cut_off_can_be_repeated(tmp_path: Path) -> None:
    """Killed while it answers; the same request_id afterwards teaches exactly once."""
    first = start_server(tmp_path)
    with first.client(retry=False) as client:
        caller = threading.Thread(target=_teach_until_refused, args=(client,))
        caller.start()
        wait_until(lambda: client.get_workspace().samples_total > 5)
        first.kill()
        caller.join(20)
    with server(tmp_path) as again, again.client() as client:
        before = client.get_workspace().samples_total
        for i in range(before + 2):
            client.train(zigzag(i), "x", request_id=f"call-{i}")
        assert client.get_workspace().samples_total in (before + 1, before + 2)
        assert [s.sample_id for s in client.iter_samples()] == list(range(client.get_workspace().samples_total, 0, -1))


def _teach_until_refused(client: HaleganadaClient) -> None:
    with contextlib.suppress(HaleganadaError):
        for i in range(10_000):
            client.train(zigzag(i), "x", request_id=f"call-{i}")
