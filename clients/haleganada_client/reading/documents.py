"""The requests that send many documents as one stream: a chunk at a time, each document opened when its turn comes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, BinaryIO, cast

from haleganada.v1 import reading_service_pb2 as pb

from haleganada_client.errors import InvalidInput
from haleganada_client.limits import MAX_STREAMED_DOCUMENT_BYTES
from haleganada_client.types import ItemError
from haleganada_client.wire.arguments import refuse, refuse_type, to_path
from haleganada_client.wire.build import build
from haleganada_client.wire.drawings import load_picture

from .types import Document

_CHUNK_BYTES = 256 * 1024


def name_of(document: Document) -> str:
    """Return the path that a document is given by; "" for other documents."""
    return os.fspath(document) if isinstance(document, (str, os.PathLike)) else ""


def file_name_of(document: Document) -> str:
    """Return a document's file name, without folders, as the contract can carry it."""
    return Path(name_of(document)).name.encode("utf-8", "replace").decode()


class DocumentRequests:
    """The requests of one stream. gRPC iterates them in a thread of its own; the methods are for the caller's thread.

    A document that cannot be read from this machine's disk is left out or cancelled, and take_problems tells why.
    """

    def __init__(self, documents: Iterable[Document], pages: str, options: pb.ReadOptions) -> None:
        self._documents = documents
        self._pages = pages
        self._options = options
        self._names: dict[int, str] = {}
        self._problems: SimpleQueue[tuple[int, ItemError]] = SimpleQueue()
        self.failure: Exception | None = None
        """What the caller's iterable has raised; the stream ends with the documents before that."""

    def __iter__(self) -> Iterator[pb.ReadStreamRequest]:
        try:
            for index, document in enumerate(self._documents):
                self._names[index] = name_of(document)
                yield from self._send(index, document)
        except Exception as error:
            self.failure = error

    def take_problems(self) -> Iterator[tuple[int, ItemError]]:
        """Yield the documents that could not be sent since the last call: their indices, and why."""
        while True:
            try:
                yield self._problems.get_nowait()
            except Empty:
                return

    def name_of(self, index: int) -> str | None:
        """Return the name of a document, None if it is done."""
        return self._names.get(index)

    def forget(self, index: int) -> None:
        """Forget a document that is done, so that memory does not grow with their number."""
        del self._names[index]

    def _send(self, index: int, document: Document) -> Iterator[pb.ReadStreamRequest]:
        document_id, started = str(index), False
        try:
            with open_document(document) as file:
                start = pb.DocumentStart(
                    document_id=document_id,
                    file_name=file_name_of(document),
                    pages=self._pages,
                    options=self._options,
                )
                started = True
                yield pb.ReadStreamRequest(start=start)
                while chunk := file.read(_CHUNK_BYTES):
                    yield build(pb.ReadStreamRequest, chunk=chunk)
            yield pb.ReadStreamRequest(end=pb.DocumentEnd())
        except (OSError, InvalidInput) as error:
            why = f"document: cannot be read: {error.strerror or error}" if isinstance(error, OSError) else str(error)
            self._problems.put((index, ItemError(3, "INVALID_INPUT", why, "document")))
            if started:
                yield pb.ReadStreamRequest(cancel=pb.DocumentCancel(document_id=document_id))


def open_document(document: Document) -> AbstractContextManager[BinaryIO]:
    """Open a document to read its bytes. Raise OSError, InvalidInput or WrongType."""
    if callable(getattr(document, "read", None)):
        return nullcontext(cast(BinaryIO, document))
    if not isinstance(document, (str, os.PathLike)):
        return BytesIO(_load(document))
    path = to_path(document, "document")
    if path.stat().st_size > MAX_STREAMED_DOCUMENT_BYTES:
        raise refuse("document", f"is larger than {MAX_STREAMED_DOCUMENT_BYTES // 2**20} MiB; split it")
    return path.open("rb")


def _load(document: Any) -> bytes:
    content = load_picture(document, "document", MAX_STREAMED_DOCUMENT_BYTES)
    if content is None:
        raise refuse_type("document", "a path, bytes, an open binary file, a Pillow image or an array", document)
    return content
