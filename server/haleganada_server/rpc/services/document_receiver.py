"""The documents of a ReadStream: parts become files on disk, and files become work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grpc
from haleganada.v1 import reading_service_pb2 as pb

from haleganada_server.core.access.identity import Identity
from haleganada_server.core.errors import HaleganadaError, InvalidInput
from haleganada_server.core.limits import MAX_RECEIVED_CHUNK_BYTES
from haleganada_server.core.outcomes import strip_traceback
from haleganada_server.core.reading.document_stream import DocumentStream
from haleganada_server.core.reading.document_work import DocumentRequest, cancelled_document
from haleganada_server.core.reading.ports import IncomingDocument

from .. import validate
from ..access.present import require_readable
from ..convert import reading as convert


@dataclass(slots=True, eq=False)
class _Arriving:
    """The document that began last. request, file: None if it is refused. error: why it is. is_done: its result was
    sent.
    """

    document_id: str
    request: DocumentRequest | None = None
    file: IncomingDocument | None = None
    error: HaleganadaError | None = None
    is_done: bool = False

    def refuse(self, error: HaleganadaError) -> None:
        """Keep no more of it."""
        self.error = strip_traceback(error)
        self.remove()

    def finish(self, sha256: str) -> None:
        """All of it has arrived. Raises InvalidInput if it has another hash, "" = any."""
        if self.file is not None:
            self.file.finish()
            if sha256 and validate.sha256("end.sha256", sha256) != self.file.sha256:
                raise InvalidInput("end.sha256", "is not that of the bytes that arrived; send the document again")

    def remove(self) -> None:
        if self.file is not None:
            self.file.remove()
            self.file = None


class DocumentReceiver:
    """Takes the parts of one stream, in a thread of its own. run() it once."""

    def __init__(
        self,
        requests: Iterator[pb.ReadStreamRequest],
        documents: DocumentStream,
        receive: Callable[[], IncomingDocument],
        identity: Identity,
    ) -> None:
        """receive: returns a new document to write to. identity: who has the documents read."""
        self._requests, self._documents, self._receive = requests, documents, receive
        self._identity = identity
        self._arriving: _Arriving | None = None

    def run(self) -> None:
        """Take everything; errors of the stream end it, those of a document only that."""
        try:
            for request in self._requests:
                self._take(request)
            if self._arriving is not None:
                self._arriving.refuse(InvalidInput("end", "is missing; each document ends with one"))
                self._end(pb.DocumentEnd())
            self._documents.end_input()
        except grpc.RpcError:  # the caller is gone
            self._documents.abandon()
        except Exception as error:
            self._documents.fail(error)
        finally:
            if self._arriving is not None:
                self._arriving.remove()

    def _take(self, request: pb.ReadStreamRequest) -> None:
        part = request.WhichOneof("part")
        if part == "start":
            self._begin(request.start)
        elif part == "chunk":
            self._append(request.chunk)
        elif part == "end":
            self._end(request.end)
        elif part == "cancel":
            self._cancel(request.cancel.document_id)
        else:
            raise InvalidInput("part", "is missing; send a start, a chunk, an end or a cancel")

    def _begin(self, start: pb.DocumentStart) -> None:
        if self._arriving is not None and not self._arriving.is_done:
            raise InvalidInput("start", f"came before the end of “{self._arriving.document_id}”")
        self._arriving = None
        validate.required_id("start.document_id", start.document_id)
        self._documents.begin(start.document_id)
        self._arriving = arriving = _Arriving(start.document_id)
        try:
            arriving.request = convert.document_request(start, self._identity.name)
            require_readable(self._identity, arriving.request.options)
            arriving.file = self._receive()
        except HaleganadaError as error:
            arriving.refuse(error)

    def _append(self, chunk: bytes) -> None:
        arriving = self._require_arriving("chunk")
        if len(chunk) > MAX_RECEIVED_CHUNK_BYTES:
            raise InvalidInput("chunk", f"has {len(chunk):,} bytes; at most {MAX_RECEIVED_CHUNK_BYTES:,} are allowed")
        if arriving.file is not None:
            try:
                arriving.file.write(chunk)
            except HaleganadaError as error:
                arriving.refuse(error)

    def _end(self, end: pb.DocumentEnd) -> None:
        arriving = self._require_arriving("end")
        self._arriving = None
        if arriving.is_done:
            return
        try:
            arriving.finish(end.sha256)
        except HaleganadaError as error:
            arriving.refuse(error)
        if arriving.error is not None:
            self._documents.refuse(arriving.document_id, arriving.error)
        elif arriving.request is not None and arriving.file is not None:
            self._documents.add(arriving.request, arriving.file)

    def _cancel(self, document_id: str) -> None:
        arriving = self._arriving
        if arriving is None or arriving.document_id != document_id:
            self._documents.cancel(validate.required_id("cancel.document_id", document_id))
        elif not arriving.is_done:
            arriving.refuse(cancelled_document(document_id))
            arriving.is_done = True
            self._documents.refuse(document_id, cancelled_document(document_id))

    def _require_arriving(self, part: str) -> _Arriving:
        if self._arriving is None:
            raise InvalidInput(part, "came outside of a document; begin it with a start")
        return self._arriving
