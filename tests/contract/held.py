"""Calls that stay in progress until a test lets them go on, and readers that do not read ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc

from tests.support.waiting import wait_until

NOTHING_TO_LEARN = b'{"label": 5}\n'


@dataclass(frozen=True)
class HeldImport:
    """An Import whose file has arrived but for its end."""

    call: Any
    _released: threading.Event

    def finish(self) -> ocr.ImportResponse:
        """Send the end of the file; return the answer."""
        self._released.set()
        answer: ocr.ImportResponse = self.call.result(60)
        return answer


@contextmanager
def hold_import(channel: grpc.Channel, data: Path, content: bytes = NOTHING_TO_LEARN) -> Iterator[HeldImport]:
    """Begin to import a file of JSON lines; `data` is the server's data directory, where the file shows up."""
    released = threading.Event()

    def requests() -> Iterator[ocr.ImportRequest]:
        yield ocr.ImportRequest(header=ocr.ImportHeader())
        yield ocr.ImportRequest(chunk=content)
        released.wait()

    before = set((data / "tmp").iterdir())
    call = ocr_service_pb2_grpc.OCRServiceStub(channel).Import.future(requests())
    wait_until(lambda: set((data / "tmp").iterdir()) - before)
    try:
        yield HeldImport(call, released)
    finally:
        released.set()


@contextmanager
def unhurried(address: str) -> Iterator[grpc.Channel]:
    """A channel that takes only what is asked for. gRPC would otherwise give a stream more and more room ahead of its
    reader, in which a whole file may fit.
    """
    with grpc.insecure_channel(address, [("grpc.http2.bdp_probe", 0)]) as channel:
        yield channel
