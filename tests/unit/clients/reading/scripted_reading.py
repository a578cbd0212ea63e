"""A real server on loopback whose readings a test scripts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from haleganada.v1 import common_pb2, reading_service_pb2_grpc
from haleganada.v1 import reading_service_pb2 as pb
from haleganada_client import HaleganadaClient

make_client: Callable[..., HaleganadaClient] = HaleganadaClient
"""What makes the client of a scripted server; see ../conftest.py."""
_ZIPS = (pb.READING_FORMAT_WORDS, pb.READING_FORMAT_CROPS)
Stream = Callable[[Iterator[pb.ReadStreamRequest], grpc.ServicerContext], Iterator[pb.ReadStreamResponse]]
Read = Callable[[pb.ReadRequest, grpc.ServicerContext], pb.ReadResponse]


class _Scripted(reading_service_pb2_grpc.ReadingServiceServicer):
    def __init__(self, stream: Stream | None, read: Read | None, exported: bytes, installed: bool) -> None:
        self._stream, self._read, self._exported, self._installed = stream, read, exported, installed
        self.deleted: list[str] = []

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
        assert self._read is not None, "this test expects no Read"
        return self._read(request, context)

    def ReadStream(
        self, request_iterator: Iterator[pb.ReadStreamRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.ReadStreamResponse]:
        assert self._stream is not None, "this test expects no ReadStream"
        return self._stream(request_iterator, context)

    def ListEngines(self, request: pb.ListEnginesRequest, context: grpc.ServicerContext) -> pb.ListEnginesResponse:
        """One engine, which is installed or not."""
        del request, context
        engine = pb.Engine(engine="tesseract", display_name="Tesseract", install_hint="apt install tesseract-ocr")
        engine.installed = self._installed
        return pb.ListEnginesResponse(engines=[engine])

    def ExportReading(
        self, request: pb.ExportReadingRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ExportReadingResponse]:
        """Every reading as the same bytes, in whatever format."""
        del context
        name = "scan.zip" if request.format in _ZIPS else "scan.xyz"
        yield pb.ExportReadingResponse(header=pb.ReadingFileHeader(file_name=name))
        yield pb.ExportReadingResponse(chunk=self._exported)
        digest = hashlib.sha256(self._exported).hexdigest()
        trailer = common_pb2.TransferTrailer(sha256=digest, size_bytes=len(self._exported))
        yield pb.ExportReadingResponse(trailer=trailer)

    def DeleteReading(
        self, request: pb.DeleteReadingRequest, context: grpc.ServicerContext
    ) -> pb.DeleteReadingResponse:
        del context
        self.deleted.append(request.reading_id)
        return pb.DeleteReadingResponse()


@dataclass(frozen=True)
class ScriptedReader:
    """A server whose answers a test scripts. deleted: the ids of the readings that were deleted."""

    address: str
    deleted: list[str]


@contextmanager
def serve_reader(
    stream: Stream | None = None, read: Read | None = None, exported: bytes = b"exported", installed: bool = False
) -> Iterator[ScriptedReader]:
    """Serve until the block ends. installed: whether its engine is."""
    running = grpc.server(futures.ThreadPoolExecutor(4))
    servicer = _Scripted(stream, read, exported, installed)  # type: ignore[abstract]
    reading_service_pb2_grpc.add_ReadingServiceServicer_to_server(servicer, running)
    port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    try:
        yield ScriptedReader(f"127.0.0.1:{port}", servicer.deleted)
    finally:
        running.stop(None).wait()


@contextmanager
def scripted_reader(stream: Stream | None = None, read: Read | None = None) -> Iterator[HaleganadaClient]:
    """Yield a client of such a server."""
    with serve_reader(stream, read) as server, make_client(server.address, timeout_s=5.0) as client:
        yield client


def echo(requests: Iterator[pb.ReadStreamRequest], context: grpc.ServicerContext) -> Iterator[pb.ReadStreamResponse]:
    """Answer each document with its own bytes as the text of its only page; a cancelled one with an error."""
    del context
    document_id, content = "", b""
    for request in requests:
        kind = request.WhichOneof("part")
        if kind == "start":
            document_id, content = request.start.document_id, b""
        elif kind == "chunk":
            content += request.chunk
        elif kind == "cancel":
            yield failed(document_id, "cancelled")
        else:
            yield page(document_id, 1, content.decode())
            yield pb.ReadStreamResponse(result=pb.DocumentResult(document_id=document_id, pages_read=1))


def page(document_id: str, number: int, text: str, total: int = 1) -> pb.ReadStreamResponse:
    made = pb.PageReading(page=number, text=text)
    return pb.ReadStreamResponse(page=pb.DocumentPage(document_id=document_id, page=made, pages_total=total))


def failed_page(document_id: str, number: int, message: str, total: int = 1) -> pb.ReadStreamResponse:
    answer = pb.DocumentPage(document_id=document_id, pages_total=total)
    answer.error.page = number
    answer.error.error.message = message
    return pb.ReadStreamResponse(page=answer)


def failed(document_id: str, message: str, code: int = 9, reason: str = "") -> pb.ReadStreamResponse:
    result = pb.DocumentResult(document_id=document_id)
    result.error.code, result.error.message, result.error.reason = code, message, reason
    return pb.ReadStreamResponse(result=result)
