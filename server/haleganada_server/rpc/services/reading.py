"""ReadingService: unpack, call the domain, pack."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import grpc
from haleganada.v1 import reading_service_pb2 as pb
from haleganada.v1 import reading_service_pb2_grpc

from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.limits import (
    DEFAULT_PAGE_IMAGE_SIDE,
    MAX_PAGES,
    MAX_STREAMED_DOCUMENT_BYTES,
    PAGE_IMAGE_SIDE,
    Range,
)
from haleganada_server.core.reading.readings import Readings

from .. import pages, validate
from ..access.present import get_identity, require_readable
from ..caller import caller, cancellation, share_of
from ..calls.places import Places
from ..calls.stream_call import Requests
from ..convert import corrections
from ..convert import reading as convert
from ..streams import file_parts, receive_file, spool
from .document_receiver import DocumentReceiver

Context = grpc.ServicerContext
_PAGES = Range(1, MAX_PAGES)


class ReadingServicer(reading_service_pb2_grpc.ReadingServiceServicer):
    """Each method carries out the RPC of its name. Raises the domain's errors."""

    def __init__(
        self,
        readings: Readings,
        transfers: Places,
        temporary_file: Callable[[], Path],
        require_time: Callable[[], None],
    ) -> None:
        """transfers: for exports and imports. temporary_file: returns a fresh path. require_time: see Cancellation."""
        self._readings, self._transfers = readings, transfers
        self._temporary_file, self._require_time = temporary_file, require_time

    def Read(self, request: pb.ReadRequest, context: Context) -> pb.ReadResponse:
        name, options = validate.file_name(request.file_name), convert.options(request.options)
        page = validate.count("page", request.page, _PAGES, 1)
        validate.document(request.document)
        identity = get_identity()
        require_readable(identity, options)
        owner = identity.name if request.options.keep else None
        kept = self._readings.read(request.document, name, page, options, self._cancellation(context), owner)
        return pb.ReadResponse(
            page=convert.page(kept.read.page),
            pages_total=kept.read.pages_total,
            reading=convert.reading(kept.reading) if kept.reading else None,
        )

    def ReadStream(
        self, request_iterator: Iterator[pb.ReadStreamRequest], context: Context
    ) -> Iterator[pb.ReadStreamResponse]:
        documents = self._readings.open_stream(self._cancellation(context))
        if isinstance(request_iterator, Requests):
            request_iterator.excuse_while(documents.is_busy)
        receiver = DocumentReceiver(request_iterator, documents, self._readings.store.receive, get_identity())
        threading.Thread(target=receiver.run, name="documents", daemon=True).start()
        context.add_callback(documents.abandon)  # a caller who is gone is noticed at once
        with closing(documents.events()) as events:
            for event in events:
                yield convert.event(event)

    def ListEngines(self, request: pb.ListEnginesRequest, context: Context) -> pb.ListEnginesResponse:
        engines = self._readings.engines(self._cancellation(context))
        return pb.ListEnginesResponse(engines=map(convert.engine, engines))

    def ListReadings(self, request: pb.ListReadingsRequest, context: Context) -> pb.ListReadingsResponse:
        limit, after = validate.page_size(request.page_size), pages.decode("readings", request.page_token, "")
        found = self._readings.newest(after, limit + 1, get_identity())
        following = found[limit - 1].position if len(found) > limit else ""
        return pb.ListReadingsResponse(
            readings=map(convert.reading, found[:limit]), next_page_token=pages.encode("readings", following)
        )

    def GetReading(self, request: pb.GetReadingRequest, context: Context) -> pb.GetReadingResponse:
        found = self._readings.get(self._find(request.reading_id))
        page = self._readings.page(found.reading_id, request.page) if request.page else None
        return pb.GetReadingResponse(reading=convert.reading(found), page=convert.page(page) if page else None)

    def GetPageImage(self, request: pb.GetPageImageRequest, context: Context) -> pb.GetPageImageResponse:
        page = validate.count("page", request.page, _PAGES, 1)
        side = validate.count("max_side", request.max_side, PAGE_IMAGE_SIDE, DEFAULT_PAGE_IMAGE_SIDE)
        drawn = self._readings.draw_page(self._find(request.reading_id), page, side, self._cancellation(context))
        return convert.page_image(drawn)

    def DeleteReading(self, request: pb.DeleteReadingRequest, context: Context) -> pb.DeleteReadingResponse:
        self._readings.delete(self._find(request.reading_id))
        return pb.DeleteReadingResponse()

    def ExportReading(self, request: pb.ExportReadingRequest, context: Context) -> Iterator[pb.ExportReadingResponse]:
        reading_id, form = self._find(request.reading_id), convert.reading_format(request.format)
        with self._transfers.one(context), spool(self._temporary_file) as target:
            exported = self._readings.export(reading_id, form, target, self._cancellation(context))
            yield pb.ExportReadingResponse(header=convert.file_header(exported))
            yield from file_parts(pb.ExportReadingResponse, exported.path)

    def CorrectReading(self, request: pb.CorrectReadingRequest, context: Context) -> pb.CorrectReadingResponse:
        reading_id, page = self._find(request.reading_id), validate.count("page", request.page, _PAGES, 1)
        expected = request.expected_revision if request.HasField("expected_revision") else None
        correction = corrections.correction(request)
        return corrections.corrected_page(
            self._readings.correct(reading_id, page, correction, expected, caller(context))
        )

    def EvaluateReading(self, request: pb.EvaluateReadingRequest, context: Context) -> pb.EvaluateReadingResponse:
        page = validate.count("page", request.page, _PAGES, 0)
        found = self._readings.evaluate(self._find(request.reading_id), page)
        return pb.EvaluateReadingResponse(pages=map(corrections.evaluation, found))

    def ImportReading(
        self, request_iterator: Iterator[pb.ImportReadingRequest], context: Context
    ) -> pb.ImportReadingResponse:
        first = next(request_iterator, None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidInput("header", "is missing; an import starts with it")
        name = validate.file_name(first.header.file_name)
        with self._transfers.one(context), spool(self._temporary_file) as archive:
            receive_file(request_iterator, archive, MAX_STREAMED_DOCUMENT_BYTES)
            made = self._readings.import_words(archive, name, get_identity().name, self._cancellation(context))
        return pb.ImportReadingResponse(reading=convert.reading(made))

    def _cancellation(self, context: Context) -> Cancellation:
        return replace(cancellation(context, self._require_time), caller=share_of(get_identity(), context))

    def _find(self, reading_id: str) -> str:
        """Return the id of a reading that the caller may see. Raises InvalidInput, NotFound."""
        validate.required_id("reading_id", reading_id)
        self._readings.require_visible(reading_id, get_identity())
        return reading_id
