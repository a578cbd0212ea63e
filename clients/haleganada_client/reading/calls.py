"""Reading documents: one page in a call, many documents in a stream."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import replace
from functools import cached_property
from typing import Any

from haleganada.v1 import reading_service_pb2 as pb
from haleganada.v1 import reading_service_pb2_grpc

from haleganada_client.calls.connection import Connection
from haleganada_client.errors import Internal, from_item
from haleganada_client.limits import MAX_DOCUMENT_BYTES
from haleganada_client.wire.arguments import refuse_type
from haleganada_client.wire.build import build

from .documents import DocumentRequests, file_name_of, open_document
from .messages import build_options, convert_engine, convert_kept, convert_page
from .streaming import collect_documents, iterate_pages
from .types import Document, DocumentPage, DocumentReading, Engine, OnPage, PageReading

_READ_TIMEOUT_S = 600.0  # a large page waits for its turn, and for the engines to start
_ENGINES_TIMEOUT_S = 120.0
_STREAM_TIMEOUT_S = 7 * 24 * 3600.0  # a bookshelf takes days; keepalive notices a server that is gone


class DocumentReader:
    """What HaleganadaClient.read, read_many and engines do; `choices` are the arguments of build_options."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def _stub(self) -> reading_service_pb2_grpc.ReadingServiceStub:
        return self._connection.make_stub(reading_service_pb2_grpc.ReadingServiceStub)

    async def read(self, document: Document, page: int, **choices: Any) -> PageReading:
        """Read one page. A document that is too large for one call, or open, becomes a stream of one document."""
        options = build_options(**choices)
        content = await self._connection.offload(_load_small, document)
        if content is None:
            return await self._read_large(document, page, options)
        request = build(pb.ReadRequest, document=content, file_name=file_name_of(document), page=page, options=options)
        # A repeated call would keep a second reading.
        call = self._connection.call_once if options.keep else self._connection.call
        answer = await call(self._stub.Read, request, _READ_TIMEOUT_S)
        return convert_page(answer.page, answer.pages_total, convert_kept(answer))

    def read_many(
        self, documents: Iterable[Document], pages: str, on_page: OnPage | None, **choices: Any
    ) -> AsyncGenerator[DocumentReading, None]:
        """Yield documents as they are done. Choices are checked at once, the rest happens with the first document."""
        return collect_documents(self.read_pages(documents, pages, **choices), on_page)

    def read_pages(
        self, documents: Iterable[Document], pages: str, **choices: Any
    ) -> AsyncGenerator[DocumentPage | DocumentReading, None]:
        """Yield pages as they are done, and documents after their pages."""
        if isinstance(documents, (str, bytes, os.PathLike)) or not isinstance(documents, Iterable):
            raise refuse_type("documents", "a list of documents", documents)
        build(pb.DocumentStart, pages=pages)  # raises now what would be raised later
        return self._stream(documents, pages, build_options(**choices))

    async def engines(self) -> tuple[Engine, ...]:
        """Return all engines, in the server's order."""
        answer = await self._connection.call(self._stub.ListEngines, pb.ListEnginesRequest(), _ENGINES_TIMEOUT_S)
        return tuple(convert_engine(engine) for engine in answer.engines)

    async def _stream(
        self, documents: Iterable[Document], pages: str, options: pb.ReadOptions
    ) -> AsyncGenerator[DocumentPage | DocumentReading, None]:
        requests = DocumentRequests(documents, pages, options)
        parts = self._connection.stream(self._stub.ReadStream, iter(requests), _STREAM_TIMEOUT_S)
        async with aclosing(iterate_pages(requests, parts)) as done:
            async for part in done:
                yield part

    async def _read_large(self, document: Document, page: int, options: pb.ReadOptions) -> PageReading:
        async for found in collect_documents(self._stream([document], str(page), options), None):
            for error in (found.error, *(failed.error for failed in found.page_errors)):
                if error is not None:
                    raise from_item(error)
            total = found.reading.pages_total if found.reading else None
            return replace(found.pages[0], pages_total=total, reading=found.reading)
        raise Internal("the server did not answer for the document; its log has the details")


def _load_small(document: Document) -> bytes | None:
    """Return the bytes of a document that fits into one call, else None. The length of an open file is not known."""
    if callable(getattr(document, "read", None)):
        return None
    with open_document(document) as file:
        content = file.read(MAX_DOCUMENT_BYTES + 1)
    return content if len(content) <= MAX_DOCUMENT_BYTES else None
