"""Many pictures: `haleganada bulk predict` on a Ray of this machine, beside the best that PredictBatch does by hand.

python -m tests.bench.bulk [PICTURES] [ROUNDS]

Both read the same files and write JSON lines. By hand, threads send batches of 64 to a server of their own; the number
of threads is the one that was fastest on a tenth of the pictures. The processor time is that of all processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from haleganada_client import HaleganadaClient
from haleganada_client.json_values import to_json_value

from tests.bench.drawings import LABELS, canvas_png
from tests.bench.table import Table, get_quantile
from tests.e2e.processes import fresh_server

PICTURES, ROUNDS = 20_000, 3
SAMPLES, TAUGHT_HANDS = 5, 1_000_000  # of each label, by hands that draw none of the pictures
BATCH = 64
THREADS = (1, 2, 3, 4)
TICKS = os.sysconf("SC_CLK_TCK")
TARGET = 0.9
_LOOK_S = 0.5  # each look reads /proc once, which takes milliseconds from what is measured


def main() -> None:
    """Print the table."""
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    table = Table(f"{pictures:,} pictures", ("what", "pictures/s", "seconds", "processor, ms a picture"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_pictures(folder / "pictures", pictures)
        with fresh_server(folder / "data") as server, server.client() as client:
            teach(client)
            own = (os.getpid(), server.process.pid)
            threads = max(
                THREADS, key=lambda count: ask_by_hand(client, paths[: pictures // 10], count, folder / "try")
            )
            ratios = [
                measure(table, f"PredictBatch by hand, {threads} threads", pictures, own,
                        lambda: ask_by_hand(client, paths, threads, folder / "hand.jsonl"))
                / measure(table, "haleganada bulk predict", pictures, (),
                          lambda: run_bulk(folder))
                for _ in range(rounds)
            ]  # fmt: skip
        compare(folder)
    print(f"\n{table.markdown()}")
    shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"\nbulk / by hand: {get_quantile(ratios, 0.5):.2f} (rounds: {shown}); target: {TARGET} at least")


def write_pictures(folder: Path, count: int) -> list[Path]:
    """Write letters by many hands."""
    folder.mkdir()
    paths = [folder / f"{number:06}.png" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(canvas_png(LABELS[number % len(LABELS)], number))
    os.sync()  # else the first who syncs anything waits for all of these
    return paths


def teach(client: HaleganadaClient) -> None:
    """Teach the letters."""
    for label in LABELS:
        for hand in range(SAMPLES):
            client.train(canvas_png(label, TAUGHT_HANDS + hand), label)


def ask_by_hand(client: HaleganadaClient, paths: Sequence[Path], threads: int, out: Path) -> float:
    """Recognize files in batches, several at a time, write the answers, and return the pictures a second."""

    def ask(start: int) -> list[str]:
        some = paths[start : start + BATCH]
        answers = client.predict_batch([path.read_bytes() for path in some], min_revision=len(LABELS) * SAMPLES)
        return [
            json.dumps({"item": path.name, **to_json_value(answer)}) for path, answer in zip(some, answers, strict=True)
        ]

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool, out.open("w", encoding="utf-8") as file:
        for lines in pool.map(ask, range(0, len(paths), BATCH)):
            file.writelines(f"{line}\n" for line in lines)
    return len(paths) / (time.perf_counter() - began)


def run_bulk(folder: Path) -> None:
    """Run the command from its start to its end, beside the server that uses the data."""
    command = [sys.executable, "-m", "haleganada_server", "bulk", "predict", str(folder / "pictures"), "--overwrite"]
    options = ["--data", str(folder / "data"), "--out", str(folder / "bulk.jsonl")]
    subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(table: Table, what: str, pictures: int, counted: Sequence[int], work: Callable[[], object]) -> float:
    """Add a row, and return the seconds. counted: the processes that work; () = those that start meanwhile."""
    began = time.perf_counter()
    with watch_processors(counted) as used:
        work()
    seconds = time.perf_counter() - began
    table.add(what, f"{pictures / seconds:.0f}", f"{seconds:.1f}", f"{1000 * sum(used.values()) / pictures:.2f}")
    return seconds


@contextmanager
def watch_processors(counted: Sequence[int]) -> Iterator[dict[int, float]]:
    """Yield the seconds of processor time by process, complete after the block."""
    before = {pid: read_seconds(pid) for pid in counted}
    known = set(find_below(os.getpid()))
    used: dict[int, float] = {}
    ended = threading.Event()

    def find_new() -> list[int]:
        return [pid for pid in find_below(os.getpid()) if pid not in known]

    def look() -> None:
        while True:
            for pid in counted or find_new():
                used[pid] = max(used.get(pid, 0.0), read_seconds(pid) - before.get(pid, 0.0))
            if ended.wait(_LOOK_S):
                return

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield used
    finally:
        ended.set()
        watcher.join()


def find_below(pid: int) -> list[int]:
    """Return all processes that one has started, and that those have started."""
    children = defaultdict[int, list[int]](list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it ended meanwhile
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                children[int(parent)].append(int(folder.name))
    found = [pid]
    for one in found:
        found += children[one]
    return found[1:]


def read_seconds(pid: int) -> float:
    """Return the processor time of a process so far; 0 if it has ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


def compare(folder: Path) -> None:
    """Fail unless both ways have given the same answers."""
    hand, bulk = (
        [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]
        for name in ("hand.jsonl", "bulk.jsonl")
    )
    assert len(hand) == len(bulk)
    for one, other in zip(hand, bulk, strict=True):
        assert one["item"] == Path(other["item"]).name
        assert one["candidates"][0]["label"] == other["label"], one


if __name__ == "__main__":
    main()
