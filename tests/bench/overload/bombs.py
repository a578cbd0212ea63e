"""Small files that are large pictures: what they cost the server, and everybody beside them.

python -m tests.bench.overload.bombs
"""

from __future__ import annotations

import io
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
from haleganada.v1 import common_pb2, ocr_service_pb2, ocr_service_pb2_grpc
from haleganada_client.limits import MAX_MESSAGE_BYTES
from haleganada_client.wire.drawings import pack_drawing
from PIL import Image, ImageDraw

from tests.bench.drawings import LABELS, strokes
from tests.bench.memory import read_memory, sample
from tests.bench.table import Table
from tests.e2e.processes import ServerProcess, fresh_server

BATCH = 256
SIDE = 4000  # 16 megapixels, the most that a picture may have
SAMPLE_S = 0.02


def draw_bomb(
    mode: str = "1", size: tuple[int, int] = (SIDE, SIDE), kind: str = "PNG", *, blank: bool = False
) -> bytes:
    """Return a picture that is far larger than its file."""
    image = Image.new("L", size, 255)
    if not blank:
        width, height = size
        corners = [(0.2 * width, 0.2 * height), (0.7 * width, 0.8 * height), (0.8 * width, 0.3 * height)]
        ImageDraw.Draw(image).line(corners, 0, max(1, min(size) // 20))
    buffer = io.BytesIO()
    options = {"lossless": True, "quality": 0, "method": 0} if kind == "WEBP" else {}
    image.convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def _fill(pictures: list[bytes], count: int) -> list[bytes]:
    """Return `count` pictures, or as many as one request may have, by repeating these."""
    most = MAX_MESSAGE_BYTES // (sum(map(len, pictures)) // len(pictures) + 16)
    return [pictures[i % len(pictures)] for i in range(min(count, most))]


BOMBS: dict[str, Callable[[int], list[bytes]]] = {
    "PNGs of 16 megapixels, 1 bit": lambda count: _fill([draw_bomb()], count),
    "the same, three in four blank": lambda count: _fill([draw_bomb(), *[draw_bomb(blank=True)] * 3], count),
    "PNGs of 16 megapixels, RGBA": lambda count: _fill([draw_bomb("RGBA")], count),
    "WebPs of 16 megapixels, RGBA": lambda count: _fill([draw_bomb("RGBA", kind="WEBP")], count),
    "PNGs of 65,535 x 244, RGBA": lambda count: _fill([draw_bomb("RGBA", (65_535, 244))], count),
    "PNGs of 244 x 65,535, RGBA": lambda count: _fill([draw_bomb("RGBA", (244, 65_535))], count),
    "PNGs of 16,000,000 x 1 and 1 x 16,000,000": lambda count: _fill(
        [draw_bomb("L", (16_000_000, 1)), draw_bomb("L", (1, 16_000_000))], count
    ),
}


@dataclass(frozen=True, kw_only=True)
class BombRow:
    """What one batch did. idle_mib, peak_mib: memory of the server before the first bomb, and at most during this one.
    worked_on_s: how long the server went on after the deadline. alone_ms, p50_ms, slowest_ms: another caller's Predict,
    before and beside it.
    """

    bomb: str
    request_mb: float
    idle_mib: float
    peak_mib: float
    worked_on_s: float
    alone_ms: float
    p50_ms: float
    slowest_ms: float


def measure_bombs(
    running: ServerProcess, deadline_s: float = 10.0, count: int = BATCH, kinds: Iterable[str] = tuple(BOMBS)
) -> list[BombRow]:
    """Send one batch of each kind of bomb, with a deadline, while another caller asks for one drawing after another."""
    with grpc.insecure_channel(running.address) as channel:
        stub = ocr_service_pb2_grpc.OCRServiceStub(channel)
        for i in range(20):
            drawn = pack_drawing(strokes(LABELS[i % 5], i))
            stub.Train(ocr_service_pb2.TrainRequest(label=LABELS[i % 5], glyph=drawn))
        _warm_up(running, stub)
        idle_mib = read_memory(running.process.pid) / 2**20  # once: what an earlier bomb left behind counts, too
        return [measure_bomb(running, stub, kind, BOMBS[kind](count), deadline_s, idle_mib) for kind in kinds]


def measure_bomb(
    running: ServerProcess,
    stub: ocr_service_pb2_grpc.OCRServiceStub,
    name: str,
    pictures: list[bytes],
    deadline_s: float,
    idle_mib: float,
) -> BombRow:
    """Send one batch of pictures and measure."""
    request = ocr_service_pb2.PredictBatchRequest(glyphs=[common_pb2.Glyph(image=picture) for picture in pictures])
    alone = [_ask(stub) for _ in range(20)]
    beside, refused = list[float](), list[grpc.StatusCode]()

    def attack() -> None:
        try:
            stub.PredictBatch(request, timeout=deadline_s)
        except grpc.RpcError as error:
            refused.append(error.code())

    with sample(lambda: read_memory(running.process.pid) / 2**20, SAMPLE_S) as memory_mib:
        attacker = threading.Thread(target=attack)
        attacker.start()
        while attacker.is_alive():
            beside.append(_ask(stub))
            time.sleep(0.05)
        worked_on_s = _wait_until_idle(running)
    assert refused in ([], [grpc.StatusCode.DEADLINE_EXCEEDED]), refused
    return BombRow(
        bomb=name,
        request_mb=request.ByteSize() / 1e6,
        idle_mib=idle_mib,
        peak_mib=max(memory_mib, default=0.0),
        worked_on_s=worked_on_s,
        alone_ms=statistics.median(alone),
        p50_ms=statistics.median(beside),
        slowest_ms=max(beside),
    )


def _warm_up(running: ServerProcess, stub: ocr_service_pb2_grpc.OCRServiceStub) -> None:
    """Ask from several threads, so that the memory of what the server keeps for that counts as idle."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: _ask(stub), range(200)))


def _ask(stub: ocr_service_pb2_grpc.OCRServiceStub) -> float:
    """Recognize one small drawing and return how long that took, in ms."""
    start = time.perf_counter()
    stub.Predict(ocr_service_pb2.PredictRequest(glyph=pack_drawing(strokes(LABELS[0], 99))))
    return (time.perf_counter() - start) * 1000


def _wait_until_idle(running: ServerProcess, timeout_s: float = 120.0) -> float:
    """Wait until the server computes nothing, and return how long that took."""
    start, step_s = time.monotonic(), 0.5
    before = _read_cpu_s(running)
    while time.monotonic() - start < timeout_s:
        time.sleep(step_s)
        after = _read_cpu_s(running)
        if after - before < 0.2 * step_s:
            return time.monotonic() - start - step_s
        before = after
    raise AssertionError(f"the server still computes after {timeout_s:g} s")


def _read_cpu_s(running: ServerProcess) -> float:
    return sum(map(int, Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13])) / 100


def make_table(rows: list[BombRow]) -> Table:
    """Return the rows as a table of docs/operating/reliability.md."""
    columns = (
        "a batch of up to 256",
        "request",
        "memory above idle",
        "work after the deadline",
        "another caller's Predict",
    )
    table = Table("Large pictures in small files", columns)
    for row in rows:
        beside = f"p50 {row.p50_ms:.0f} ms, slowest {row.slowest_ms:.0f} ms (alone {row.alone_ms:.0f} ms)"
        memory = f"{row.peak_mib - row.idle_mib:.0f} MiB"
        table.add(row.bomb, f"{row.request_mb:.1f} MB", memory, f"{row.worked_on_s:.1f} s", beside)
    return table


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, fresh_server(Path(folder)) as running:
        print(make_table(measure_bombs(running)).markdown())


if __name__ == "__main__":
    main()
