"""Whole servers that read: killed in the middle, backed up, verified.

The text engine is that of tests/support/tiny_reader.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from haleganada.v1 import reading_service_pb2 as pb
from haleganada.v1 import reading_service_pb2_grpc

from tests.e2e.processes import ServerProcess, children_of, command_of, start_preloaded
from tests.support import tiny_reader
from tests.support.tiny_reader import tiny
from tests.support.waiting import wait_until

Stub = reading_service_pb2_grpc.ReadingServiceStub
KEEP = pb.ReadOptions(keep=True)
SERVE = """
import sys
from pathlib import Path
from haleganada_server.config import ServerConfig
from haleganada_server.serve import run
run(ServerConfig(Path(sys.argv[1]), port=0, device="cpu"), 1.0, reader=sys.argv[2:])
"""


def start_server(data: Path, failpoints: str = "") -> ServerProcess:
    return start_preloaded(["-c", SERVE, str(data), *tiny_reader.COMMAND], failpoints)


@contextmanager
def server(data: Path) -> Iterator[tuple[ServerProcess, Stub]]:
    """A server that is killed at the end if it still runs."""
    running = start_server(data)
    try:
        with grpc.insecure_channel(running.address) as channel:
            yield running, Stub(channel)
    finally:
        running.kill()


def read(stub: Stub, *pages: str) -> pb.ReadResponse:
    return stub.Read(pb.ReadRequest(document=tiny(*pages), options=KEEP), timeout=60)


def begin_to_read(stub: Stub, *pages: str) -> threading.Thread:
    """Read in a thread, whatever comes of it."""

    def call() -> None:
        with pytest.raises(grpc.RpcError):
            read(stub, *pages)

    thread = threading.Thread(target=call)
    thread.start()
    return thread


def readers(running: ServerProcess) -> list[int]:
    return [pid for pid in children_of(running.process.pid) if tiny_reader.COMMAND[1] in command_of(pid)]


def test_a_killed_server_takes_its_readers_with_it_and_keeps_what_was_kept(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with server(data) as (running, stub):
        kept = [read(stub, f"reading {i}").reading for i in range(3)]
        thread = begin_to_read(stub, "!spawn\n!temporary\n!hang")
        (reader,) = readers(running)
        (spawned,) = wait_until(lambda: children_of(reader))
        assert list((data / "tmp").iterdir())
        running.kill()
        thread.join()
    wait_until(lambda: not Path(f"/proc/{reader}").exists() and not Path(f"/proc/{spawned}").exists())
    with server(data) as (_, stub):
        assert not list((data / "tmp").iterdir())
        assert list(stub.ListReadings(pb.ListReadingsRequest()).readings) == kept[::-1]
        request = pb.GetReadingRequest(reading_id=kept[1].reading_id, page=1)
        assert stub.GetReading(request).page.text == "reading 1\n"


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", ["reading.synced", "reading.renamed", "remove.renamed"])
def test_a_kill_between_two_steps_leaves_whole_readings(tmp_path: Path, failpoint: str) -> None:
    data = tmp_path / "data"
    with server(data) as (_, stub):
        first = read(stub, "first").reading
    running = start_server(data, failpoint)
    with running.process, grpc.insecure_channel(running.address) as channel, pytest.raises(grpc.RpcError):
        read(Stub(channel), "second")
        Stub(channel).DeleteReading(pb.DeleteReadingRequest(reading_id=first.reading_id))
    with server(data) as (_, stub):
        assert not list((data / "tmp").iterdir())
        found = list(stub.ListReadings(pb.ListReadingsRequest()).readings)
        texts = [stub.GetReading(pb.GetReadingRequest(reading_id=one.reading_id, page=1)).page.text for one in found]
    expected = {
        "reading.synced": [["first\n"]],
        "reading.renamed": [["second\n", "first\n"]],
        "remove.renamed": [["second\n"]],
    }
    assert texts in expected[failpoint]


def test_killed_readers_never_harm_other_pages(tmp_path: Path) -> None:
    def parts() -> Iterator[pb.ReadStreamRequest]:
        for i in range(6):
            yield pb.ReadStreamRequest(start=pb.DocumentStart(document_id=f"{i}"))
            yield pb.ReadStreamRequest(chunk=tiny(*["!sleep 0.05\none"] * 4))
            yield pb.ReadStreamRequest(end=pb.DocumentEnd())

    with server(tmp_path / "data") as (running, stub):
        done: list[str] = []
        for answer in stub.ReadStream(parts(), timeout=120):
            if answer.WhichOneof("part") == "result":
                tried = answer.result.pages_read + answer.result.pages_failed
                assert tried == 4 or answer.result.error.reason == "READER_FAILED"
                done.append(answer.result.document_id)
                for pid in readers(running):
                    os.kill(pid, signal.SIGKILL)
            elif answer.page.HasField("error"):
                assert answer.page.error.error.reason == "READER_FAILED"
        assert sorted(done) == [f"{i}" for i in range(6)]
        assert read(stub, "next").page.text == "next\n"


def read_resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS:"))


@pytest.mark.slow
def test_a_long_stream_of_large_pages_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    """200 documents, each with a page of 600 words."""
    text = "\n".join([" ".join(["word"] * 10)] * 60)

    def parts() -> Iterator[pb.ReadStreamRequest]:
        for number in range(200):
            yield pb.ReadStreamRequest(start=pb.DocumentStart(document_id=f"{number}"))
            yield pb.ReadStreamRequest(chunk=tiny(text))
            yield pb.ReadStreamRequest(end=pb.DocumentEnd())

    with server(tmp_path / "data") as (running, stub):
        sizes = []
        for answer in stub.ReadStream(parts(), timeout=600):
            if answer.WhichOneof("part") == "result":
                assert answer.result.pages_read == 1
                sizes.append(sum(map(read_resident_mb, [running.process.pid, *readers(running)])))
        assert len(sizes) == 200 and max(sizes[150:]) < max(sizes[20:60]) + 20


def test_a_stopped_server_leaves_no_process(tmp_path: Path) -> None:
    with server(tmp_path / "data") as (running, stub):
        thread = begin_to_read(stub, "!hang")
        (reader,) = wait_until(lambda: readers(running))
        assert running.stop() == 0
        thread.join()
        wait_until(lambda: not Path(f"/proc/{reader}").exists())


def run_command(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "haleganada_client.cli", name, *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)


def test_readings_are_backed_up_and_verified(tmp_path: Path) -> None:
    data, target = tmp_path / "data", tmp_path / "backup"
    with server(data) as (_, stub):
        kept = [read(stub, f"reading {i}").reading for i in range(2)]
        done = run_command("backup", str(target), "--data", str(data))
        assert done.returncode == 0 and f"reading {kept[0].reading_id}" in done.stdout
    with server(target) as (_, stub):
        assert list(stub.ListReadings(pb.ListReadingsRequest()).readings) == kept[::-1]
    assert run_command("verify", "--data", str(target)).returncode == 0
    path = target / "readings" / kept[0].reading_id / "document"
    path.write_bytes(path.read_bytes() + b"x")
    done = run_command("verify", "--data", str(target))
    assert done.returncode == 1 and kept[0].reading_id in done.stdout + done.stderr
    done = run_command("backup", str(tmp_path / "again"), "--data", str(target))
    assert "copied as it is" in done.stdout + done.stderr and (tmp_path / "again" / "readings").is_dir()
