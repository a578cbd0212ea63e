"""Readings that are kept on the server for a while: `client.readings`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from haleganada.v1 import reading_service_pb2 as pb
from haleganada.v1 import reading_service_pb2_grpc

from haleganada_client.calls.dual import Asynchronous, Blocking, dual_method
from haleganada_client.operations.base import Operations
from haleganada_client.wire import transfers
from haleganada_client.wire.arguments import refuse_type, to_list
from haleganada_client.wire.build import build

from .documents import file_name_of
from .messages import convert_correction, convert_evaluation, convert_page, convert_reading, parse_format
from .types import PageEvaluation, PageImage, PageReading, Reading, ReadingCorrection, ReadingFile

_TRANSFER_TIMEOUT_S = 3600.0
_PICTURE_TIMEOUT_S = 120.0
_LONGEST_PAGE = 200


Place = tuple[float, float]


class ReadingOperations(Operations):
    """What ReadingsClient and AsyncReadingsClient do."""

    @cached_property
    def _stub(self) -> reading_service_pb2_grpc.ReadingServiceStub:
        return self._connection.make_stub(reading_service_pb2_grpc.ReadingServiceStub)

    @dual_method
    async def list(self, limit: int | None = None) -> list[Reading]:
        """Return all readings or at most `limit`, newest first."""
        found: list[Reading] = []
        request = pb.ListReadingsRequest(page_size=_LONGEST_PAGE)
        async for page in self._connection.pages(self._stub.ListReadings, request):
            found += map(convert_reading, page.readings)
            if limit is not None and len(found) >= limit:
                break
        return found[:limit]

    @dual_method
    async def get(self, reading_id: str) -> Reading:
        """Return one reading, without its pages."""
        answer = await self._connection.call(self._stub.GetReading, build(pb.GetReadingRequest, reading_id=reading_id))
        return convert_reading(answer.reading)

    @dual_method
    async def page(self, reading_id: str, page: int = 1) -> PageReading:
        """Return one of the pages that were read. page: its number in the document, from 1."""
        request = build(pb.GetReadingRequest, reading_id=reading_id, page=page)
        answer = await self._connection.call(self._stub.GetReading, request)
        return convert_page(answer.page, answer.reading.pages_total, convert_reading(answer.reading))

    @dual_method
    async def name(
        self,
        reading_id: str,
        glyph_ids: Iterable[int],
        text: str,
        page: int = 1,
        *,
        expected_revision: int | None = None,
    ) -> ReadingCorrection:
        """Say what glyphs are: a label, or a form of one. They are taught to the workspace that reads the page, and the
        page is read again.

        expected_revision: PageReading.revision that is meant; Aborted if others have corrected the page since. Glyphs
        that are gone are NotFound. Both hold for all corrections; see undo().
        """
        named = build(pb.GlyphNaming, glyph_ids=to_list(glyph_ids, "glyph_ids"), text=text)
        return await self._correct(reading_id, page, expected_revision, name=named)

    @dual_method
    async def split(
        self,
        reading_id: str,
        glyph_id: int,
        start: Place,
        end: Place,
        page: int = 1,
        *,
        expected_revision: int | None = None,
    ) -> ReadingCorrection:
        """Say that a glyph is two. start, end: of a line that divides it, (x, y) in px of the page."""
        split = build(pb.GlyphSplit, glyph_id=glyph_id, **{"from": _build_point("start", start)})
        split.to.CopyFrom(_build_point("end", end))
        return await self._correct(reading_id, page, expected_revision, split=split)

    @dual_method
    async def join(
        self,
        reading_id: str,
        glyph_ids: Iterable[int],
        text: str = "",
        page: int = 1,
        *,
        expected_revision: int | None = None,
    ) -> ReadingCorrection:
        """Say that 2 to 16 glyphs that follow each other are one. text: what it is, "" = not said."""
        joined = build(pb.GlyphJoin, glyph_ids=to_list(glyph_ids, "glyph_ids"), text=text)
        return await self._correct(reading_id, page, expected_revision, join=joined)

    @dual_method
    async def remove_glyphs(
        self, reading_id: str, glyph_ids: Iterable[int], page: int = 1, *, expected_revision: int | None = None
    ) -> ReadingCorrection:
        """Say that ink is no glyph, but for example a stain."""
        removal = build(pb.GlyphRemoval, glyph_ids=to_list(glyph_ids, "glyph_ids"))
        return await self._correct(reading_id, page, expected_revision, remove=removal)

    @dual_method
    async def undo(
        self, reading_id: str, page: int = 1, revision: int | None = None, *, expected_revision: int | None = None
    ) -> ReadingCorrection:
        """Take corrections of a page back, and forget what they taught. revision: what the page becomes again, None =
        before the last correction. Corrections by others that came later are taken back, too.
        """
        undone = build(pb.CorrectionUndo, revision=revision)
        return await self._correct(reading_id, page, expected_revision, undo=undone)

    @dual_method
    async def evaluate(self, reading_id: str, page: int = 0) -> tuple[PageEvaluation, ...]:
        """Compare what a page, 0 = each, said at first with what it says now."""
        request = build(pb.EvaluateReadingRequest, reading_id=reading_id, page=page)
        answer = await self._connection.call(self._stub.EvaluateReading, request, _PICTURE_TIMEOUT_S)
        return tuple(map(convert_evaluation, answer.pages))

    async def _correct(
        self, reading_id: str, page: int, expected_revision: int | None, **correction: Any
    ) -> ReadingCorrection:
        request = build(
            pb.CorrectReadingRequest,
            reading_id=reading_id,
            page=page,
            expected_revision=expected_revision,
            **correction,
        )
        # A repeated undo would take back one more correction, and a repeated split finds no glyph.
        answer = await self._connection.call_once(self._stub.CorrectReading, request, _PICTURE_TIMEOUT_S)
        return convert_correction(answer)

    @dual_method
    async def image(self, reading_id: str, page: int = 1, *, max_side: int = 0) -> PageImage:
        """Return a picture of a page. max_side: the most that its longer side may have, 16 to 4,096 px, 0 = 2,048."""
        request = build(pb.GetPageImageRequest, reading_id=reading_id, page=page, max_side=max_side)
        answer = await self._connection.call(self._stub.GetPageImage, request, _PICTURE_TIMEOUT_S)
        return PageImage(answer.image, answer.width, answer.height)

    @dual_method
    async def delete(self, reading_id: str) -> None:
        """Delete a reading and its document now."""
        await self._connection.call_once(
            self._stub.DeleteReading, build(pb.DeleteReadingRequest, reading_id=reading_id)
        )

    @dual_method
    async def export(
        self,
        reading_id: str,
        format: str,
        target: transfers.Target,
        *,
        progress: transfers.Progress | None = None,
    ) -> ReadingFile:
        """Write a reading to a path or an open binary file.

        format: text, json, hocr, alto (ALTO 4), page (PAGE XML), pdf (searchable), tsv (boxes), words (a zip in the
        layout of the IAM database), crops (a zip with pictures of lines, words and glyphs) or glyphs (a data set of
        those that people have named). alto and page are a zip if there are several pages. The SHA-256 of what arrived
        is checked; a path appears, or changes, only then.
        progress is called with the bytes so far. Raises OSError where it cannot be written.
        """
        request = build(pb.ExportReadingRequest, reading_id=reading_id, format=parse_format(format))
        parts = self._connection.stream(self._stub.ExportReading, request, _TRANSFER_TIMEOUT_S)
        received = await transfers.write_parts(parts, target, progress, self._connection.offload)
        header = received.header
        return ReadingFile(
            file_name=header.file_name,
            content_type=header.content_type,
            size_bytes=received.size_bytes,
            sha256=received.sha256,
        )

    @dual_method
    async def import_(
        self,
        source: transfers.Source,
        *,
        file_name: str = "",
        progress: transfers.Progress | None = None,
    ) -> Reading:
        """Keep a reading that was made elsewhere: a zip as the format words has it, given by its path or open.

        file_name: for the list of readings, "" = the path's. progress is called with the bytes so far. Raises OSError
        for a file that cannot be read.
        """
        header = build(pb.ImportReadingHeader, file_name=file_name or file_name_of(source))
        with await self._connection.offload(transfers.open_source, source) as file:
            requests = transfers.import_requests(pb.ImportReadingRequest, header, file, progress)
            answer = await self._connection.call_once(self._stub.ImportReading, requests, _TRANSFER_TIMEOUT_S)
        return convert_reading(answer.reading)


def _build_point(field: str, place: Place) -> pb.Point:
    try:
        x, y = place
    except (TypeError, ValueError):
        raise refuse_type(field, "a pair (x, y) in px of the page", place) from None
    return build(pb.Point, x=x, y=y)


class ReadingsClient(ReadingOperations, Blocking):
    """The readings that a server keeps until they expire. Every method raises HaleganadaError.

    A reading is made by `client.read` and `client.read_many` with keep=True, or imported.
    """


class AsyncReadingsClient(ReadingOperations, Asynchronous):
    """What ReadingsClient does, as coroutines."""
