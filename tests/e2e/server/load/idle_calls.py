"""Calls whose callers send nothing, or only their beginning."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
from haleganada.v1 import dataset_service_pb2 as datasets
from haleganada.v1 import ocr_service_pb2 as ocr

SERVICE = "/haleganada.v1."
IMPORT = f"{SERVICE}OCRService/Import"
IMPORT_HEADER = ocr.ImportRequest(header=ocr.ImportHeader()).SerializeToString()
UPLOAD_HEADER = datasets.UploadDatasetRequest(
    header=datasets.UploadDatasetHeader(
        file_name="x.zip", sha256="0" * 64, options=datasets.DatasetOptions(name="letters")
    )
).SerializeToString()
KINDS: dict[str, tuple[str, Sequence[bytes]]] = {
    "an import without its header": (IMPORT, ()),
    "an import of which only the header comes": (IMPORT, (IMPORT_HEADER,)),
    "an upload without its header": (f"{SERVICE}DatasetService/UploadDataset", ()),
    "an upload of which only the header comes": (f"{SERVICE}DatasetService/UploadDataset", (UPLOAD_HEADER,)),
    "an export without its message": (f"{SERVICE}OCRService/Export", ()),
    "a watch of a job without its message": (f"{SERVICE}JobService/WatchJob", ()),
    "a prediction without its message": (f"{SERVICE}OCRService/Predict", ()),
    "reflection that asks nothing": ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", ()),
    "a health check without its message": ("/grpc.health.v1.Health/Check", ()),
    "a watch of the health": ("/grpc.health.v1.Health/Watch", (b"",)),
    "a watch of the health without its message": ("/grpc.health.v1.Health/Watch", ()),
}
"""What is called, and the messages that come."""


@contextmanager
def idle_calls(channel: grpc.Channel, kind: str, count: int) -> Iterator[list[Any]]:
    """Hold so many calls open for the block, which gets them."""
    released = threading.Event()
    method, messages = KINDS[kind]
    begin = channel.stream_stream(method, request_serializer=bytes, response_deserializer=bytes)

    def requests() -> Iterator[bytes]:
        yield from messages
        released.wait()

    calls = [begin(requests()) for _ in range(count)]
    try:
        yield calls
    finally:
        for call in calls:
            call.cancel()
        released.set()
