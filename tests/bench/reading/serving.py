"""Reading beside other work: python -m tests.bench.reading.serving [--pages N] [--short].

Pages a minute beside the engine alone, memory over a long stream, and what a Predict notices while pages are read.
Needs HALEGANADA_DATA and the read extra. Prints the tables of docs/using/reading.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import grpc
from haleganada.v1 import reading_service_pb2 as pb
from haleganada.v1 import reading_service_pb2_grpc
from haleganada_client import HaleganadaClient
from haleganada_server.runtime.processes.process_load import measure_cpu

from tests.bench.drawings import LABELS, strokes
from tests.bench.memory import read_memory, sample
from tests.bench.table import Table
from tests.e2e.processes import ServerProcess, children_of, command_of, fresh_server

SETS = ("fondue_en_print", "copiste_lines_fr", "stanford_letters_en")
ENGINE = "rapidocr"
CORES = len(os.sched_getaffinity(0))
_CHUNK = 2**20
_SAMPLE_EVERY_S = 0.5
_PREDICT_EVERY_S = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200, help="of the long stream")
    parser.add_argument("--short", action="store_true", help="few pages, to see whether it works")
    options = parser.parse_args()
    pages, stream = (4, 8) if options.short else (20, options.pages)
    with tempfile.TemporaryDirectory() as folder, fresh_server(Path(folder) / "data") as running:
        files = unpack_pages(Path(folder) / "pages")
        channel = grpc.insecure_channel(running.address, [("grpc.max_receive_message_length", 16 * 2**20)])
        stub = reading_service_pb2_grpc.ReadingServiceStub(channel)
        with channel:
            tables = [
                measure_throughput(running, stub, files, pages),
                measure_predict(running, stub, files),
                measure_memory(running, stub, files, stream),
            ]
    print("\n" + "\n\n".join(table.markdown() for table in tables))


def unpack_pages(folder: Path) -> list[Path]:
    """Write the pages of the data sets to files, and return their paths."""
    data = os.environ.get("HALEGANADA_DATA")
    if not data:
        sys.exit("HALEGANADA_DATA names no folder; the pages of the data sets are needed")
    folder.mkdir()
    found = []
    for name in SETS:
        with ZipFile(Path(data) / name / "pages.zip") as archive:
            for member in archive.namelist():
                if member.endswith((".jpg", ".png")):
                    found.append(folder / f"{name} {Path(member).name}")
                    found[-1].write_bytes(archive.read(member))
    return found


def measure_throughput(
    running: ServerProcess, stub: reading_service_pb2_grpc.ReadingServiceStub, files: Sequence[Path], pages: int
) -> Table:
    """Read the same pages by the engine alone, in one process for each core, and through a server."""
    columns = ("what", "pages a minute", "processor time for a page", "target")
    table = Table(f"{pages} pages on {CORES} cores", columns)
    chosen = take(files, pages)
    alone = read_alone(chosen)
    table.add(f"{ENGINE} alone", f"{alone.rate:.1f}", f"{alone.cpu_s:.2f} s", "")
    for what, options in (
        (f"{ENGINE} through the server", pb.ReadOptions(engine=ENGINE, mode=pb.READ_MODE_PRINTED)),
        ("AUTO through the server", pb.ReadOptions()),
    ):
        read_stream(stub, take(files, 2 * CORES), options)  # all readers have loaded their models
        began, cpu_s = time.perf_counter(), sum(map(measure_cpu, processes_of(running)))
        read_stream(stub, chosen, options)
        cpu_s = (sum(map(measure_cpu, processes_of(running))) - cpu_s) / pages
        rate = 60 * pages / (time.perf_counter() - began)
        target = "≥ 0.95 × alone" if options.engine else ""
        shares = f"{rate / alone.rate:.2f} ×", f"{alone.cpu_s / cpu_s:.2f} ×"
        table.add(what, f"{rate:.1f} ({shares[0]})", f"{cpu_s:.2f} s ({shares[1]})", target)
    return table


def measure_predict(
    running: ServerProcess, stub: reading_service_pb2_grpc.ReadingServiceStub, files: Sequence[Path]
) -> Table:
    """Predict while nothing else happens, and while ten pages are read."""
    table = Table("Predict while ten pages are read", ("what", "p50", "p99", "slowest", "target of p99"))
    with running.client() as client:
        for number in range(40):
            client.train(strokes(LABELS[number % 10], number), LABELS[number % 10])
        predict(client, stop_after(50))  # the head has adapted
        table.add("nothing is read", *describe(predict(client, stop_after(200))), "")
        reading = threading.Thread(target=read_stream, args=(stub, take(files, 10), pb.ReadOptions(engine=ENGINE)))
        reading.start()
        durations = predict(client, lambda _: not reading.is_alive())
        reading.join()
        table.add(f"ten pages are read, {len(durations)} calls", *describe(durations), "≤ 50 ms")
    return table


def measure_memory(
    running: ServerProcess, stub: reading_service_pb2_grpc.ReadingServiceStub, files: Sequence[Path], pages: int
) -> Table:
    """Read one long stream, and look at the memory of the server and of its readers."""
    table = Table(
        f"Resident memory while a stream of {pages} pages is read",
        ("what", "peak, first quarter", "peak, last quarter", "target"),
    )

    def look() -> tuple[float, float]:
        """Return the memory of the server, and of all its readers, in MB."""
        own, *readers = (read_memory(pid) / 1e6 for pid in processes_of(running))
        return own, sum(readers)

    with sample(look, _SAMPLE_EVERY_S) as samples:
        read_stream(stub, take(files, pages), pb.ReadOptions(engine=ENGINE))
    quarter = max(1, len(samples) // 4)
    for number, what in enumerate(("server", "all readers together")):
        first, last = (max(sample[number] for sample in part) for part in (samples[:quarter], samples[-quarter:]))
        table.add(what, f"{first:.0f} MB", f"{last:.0f} MB", "flat")
    return table


def take(files: Sequence[Path], count: int) -> list[Path]:
    """Return so many files, again and again the same."""
    return [files[i % len(files)] for i in range(count)]


@dataclass(frozen=True)
class Speed:
    """rate: pages a minute. cpu_s: seconds of processor time for a page."""

    rate: float
    cpu_s: float


def read_alone(files: Sequence[Path]) -> Speed:
    """Read files by the engine itself, in one process for each core."""
    line = [sys.executable, "-m", "tests.bench.reading.engine_alone", ENGINE]
    lines = [[*line, *map(str, files[number::CORES])] for number in range(CORES)]
    processes = [subprocess.Popen(one, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for one in lines]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    cpu_s = sum(float(process.communicate()[0]) for process in processes)
    assert not any(process.returncode for process in processes)
    return Speed(60 * len(files) / (time.perf_counter() - began), cpu_s / len(files))


def processes_of(running: ServerProcess) -> list[int]:
    """Return the process ids of a server and of its readers, the server's first."""
    server_pid = running.process.pid
    readers = [pid for pid in children_of(server_pid) if "haleganada_server.reading.worker" in command_of(pid)]
    return [server_pid, *readers]


def read_stream(
    stub: reading_service_pb2_grpc.ReadingServiceStub, files: Sequence[Path], options: pb.ReadOptions
) -> None:
    """Read files as one stream. Raises AssertionError unless all could be read."""
    read = 0
    for answer in stub.ReadStream(make_parts(files, options)):
        if answer.WhichOneof("part") == "result":
            assert not answer.result.HasField("error"), answer.result.error
            read += answer.result.pages_read
    assert read == len(files)


def make_parts(files: Sequence[Path], options: pb.ReadOptions) -> Iterator[pb.ReadStreamRequest]:
    for number, path in enumerate(files):
        yield pb.ReadStreamRequest(start=pb.DocumentStart(document_id=f"{number}", options=options))
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield pb.ReadStreamRequest(chunk=chunk)
        yield pb.ReadStreamRequest(end=pb.DocumentEnd())


def stop_after(count: int) -> Callable[[int], bool]:
    """Return a function that tells whether so many calls were made."""
    return lambda made: made >= count


def predict(client: HaleganadaClient, is_over: Callable[[int], bool]) -> list[float]:
    """Recognize drawings, as somebody who draws fast does; return the milliseconds of each call."""
    durations: list[float] = []
    while not is_over(len(durations)):
        drawing = strokes(LABELS[len(durations) % 10], len(durations))
        began = time.perf_counter()
        client.predict(drawing)
        durations.append((time.perf_counter() - began) * 1000)
        time.sleep(_PREDICT_EVERY_S)
    return durations


def describe(durations: Sequence[float]) -> tuple[str, str, str]:
    """Return median, 99th percentile and maximum of milliseconds."""
    p99 = statistics.quantiles(durations, n=100)[98]
    return f"{statistics.median(durations):.1f} ms", f"{p99:.1f} ms", f"{max(durations):.0f} ms"


if __name__ == "__main__":
    main()
