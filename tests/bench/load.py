"""Load from one process: python -m tests.bench.load HOST:PORT CLIENTS SECONDS predict|health.

Prints the number of answered calls.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import grpc
from haleganada.v1 import ocr_service_pb2
from haleganada_client.wire.drawings import pack_drawing

from tests.bench.drawings import LABELS, strokes

METHODS = {"health": "/grpc.health.v1.Health/Check", "predict": "/haleganada.v1.OCRService/Predict"}


def main() -> None:
    target, clients, seconds, kind = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    requests, counts = make_requests(kind), [0] * clients
    stop = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_run_client, args=(target, kind, requests, stop, counts, i)) for i in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sum(counts))


def measure_load(address: str, kind: str, clients: int, seconds: float = 10.0) -> float:
    """Return the calls a second by clients in four processes, on the same cores as the server."""
    line = [sys.executable, "-m", "tests.bench.load", address, str(clients // 4), str(seconds), kind]
    loads = [subprocess.Popen(line, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    return sum(int(load.communicate()[0]) for load in loads) / seconds


def time_calls(call: Callable[[int], object], times: int) -> list[float]:
    """Return the seconds of calls one after another, behind up to twenty that are not counted."""
    for number in range(min(20, times)):
        call(number)
    taken = []
    for number in range(20, times + 20):
        began = time.perf_counter()
        call(number)
        taken.append(time.perf_counter() - began)
    return taken


def _run_client(target: str, kind: str, requests: list[bytes], stop: float, counts: list[int], number: int) -> None:
    """Run one client with its own connection. Requests are serialized beforehand, because the server is measured."""
    with grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = channel.unary_unary(METHODS[kind], request_serializer=bytes, response_deserializer=bytes)
        while time.monotonic() < stop:
            call(requests[counts[number] % len(requests)])
            counts[number] += 1


def make_requests(kind: str) -> list[bytes]:
    """Return serialized requests of a kind, to be sent in turns."""
    if kind == "health":
        return [b""]
    drawings = (strokes(LABELS[i % 10], 2000 + i) for i in range(40))
    return [ocr_service_pb2.PredictRequest(glyph=pack_drawing(ink)).SerializeToString() for ink in drawings]


if __name__ == "__main__":
    main()
