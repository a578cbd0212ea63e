"""One process of clients: python -m tests.bench.load HOST:PORT CLIENTS SECONDS predict|health; prints the calls
answered.
"""

from __future__ import annotations

import sys
import threading
import time

import grpc
from haleganada.v1 import ocr_service_pb2
from haleganada_client import convert

from tests.bench.drawings import LABELS, strokes

_METHODS = {"health": "/grpc.health.v1.Health/Check", "predict": "/haleganada.v1.OCRService/Predict"}


def main() -> None:
    target, clients, seconds, kind = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    requests, counts = _requests(kind), [0] * clients
    stop = time.monotonic() + seconds
    workers = [threading.Thread(target=_work, args=(target, kind, requests, stop, counts, i)) for i in range(clients)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(sum(counts))


def _work(target: str, kind: str, requests: list[bytes], stop: float, counts: list[int], number: int) -> None:
    """One client with a connection of its own. Requests are packed beforehand: the server is measured, not this
    side.
    """
    with grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = channel.unary_unary(_METHODS[kind], request_serializer=bytes, response_deserializer=bytes)
        while time.monotonic() < stop:
            call(requests[counts[number] % len(requests)])
            counts[number] += 1


def _requests(kind: str) -> list[bytes]:
    if kind == "health":
        return [b""]
    drawings = (strokes(LABELS[i % 10], 2000 + i) for i in range(40))
    return [ocr_service_pb2.PredictRequest(glyph=convert.glyph(ink)).SerializeToString() for ink in drawings]


if __name__ == "__main__":
    main()
