"""Reading documents, and the readings that are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from haleganada_server.core.access.identity import Caller, Identity
from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.errors import HaleganadaError

from .corrections.corrections import Correction
from .corrections.corrector import CorrectedPage, PageCorrector
from .corrections.evaluation import PageEvaluation
from .document_stream import DocumentStream
from .engines import EngineInfo
from .options import ReadOptions
from .page import PageReading
from .ports import (
    DocumentReader,
    IncomingDocument,
    PageImage,
    PageReader,
    ReadingFile,
    ReadingStore,
    ReadPage,
    WriteDrawings,
)
from .reading import ReadingFormat, ReadingInfo, reading_not_found
from .taught.assembly import forget_ids

_ENGINES_S = 60.0


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page that was read. reading: None if it is not kept."""

    read: ReadPage
    reading: ReadingInfo | None


class Readings:
    """What ReadingService does. Safe from any thread."""

    def __init__(
        self,
        reader: DocumentReader,
        store: ReadingStore,
        pages: PageReader,
        corrector: PageCorrector,
        write_drawings: WriteDrawings,
        model_engines: Callable[[], tuple[EngineInfo, ...]] = tuple,
    ) -> None:
        """reader: opens documents. pages: reads their pages. corrector: has those that a workspace has read.
        model_engines: returns the engines that read with models.
        """
        self._model_engines = model_engines
        self.reader, self.store, self._pages = reader, store, pages
        self._corrector, self._write_drawings = corrector, write_drawings
        self._engines: tuple[tuple[EngineInfo, ...], float] = (), 0.0  # until when they are taken to be these

    def engines(self, cancellation: Cancellation) -> tuple[EngineInfo, ...]:
        """Return all engines, those first that ReadMode.AUTO prefers, as they were a minute ago; then those of models.
        Raises Unavailable.
        """
        found, until = self._engines
        if time.monotonic() >= until:
            found = self.reader.engines(cancellation)
            self._engines = found, time.monotonic() + _ENGINES_S
        return *found, *self._model_engines()

    def read(
        self,
        document: bytes,
        file_name: str,
        page: int,
        options: ReadOptions,
        cancellation: Cancellation,
        keep_for: str | None = None,
    ) -> KeptPage:
        """Read one page of a document. page: from 1. keep_for: the owner of its reading; None = it is not kept. Raises
        what PageReader.read_page and ReadingStore raise.
        """
        incoming = self.store.receive()
        try:
            incoming.write(document)
            incoming.finish()
            read = self._pages.read_page(incoming.path, page, options, cancellation)
            if keep_for is None:
                return KeptPage(replace(read, page=forget_ids(read.page)) if read.taught else read, None)
            return KeptPage(read, self._keep(incoming, file_name, read, options, keep_for))
        finally:
            incoming.remove()

    def open_stream(self, cancellation: Cancellation) -> DocumentStream:
        """Return a stream that reads many documents."""
        return DocumentStream(self._pages, self.store, cancellation)

    def newest(self, after: str, limit: int, identity: Identity) -> list[ReadingInfo]:
        """Return those that somebody may see, see ReadingStore.newest."""
        return self.store.newest(after, limit, lambda info: info.is_for(identity))

    def get(self, reading_id: str) -> ReadingInfo:
        """Raises NotFound."""
        return self.store.get(reading_id)

    def require_visible(self, reading_id: str, identity: Identity) -> None:
        """Raise NotFound, as for one that does not exist, unless somebody may see a reading."""
        if not self.get(reading_id).is_for(identity):
            raise reading_not_found(reading_id)

    def page(self, reading_id: str, page: int) -> PageReading:
        """Return a page; one that a workspace has read, as it reads now. Raises NotFound, DataLoss, and what the
        workspace raises.
        """
        return self._read_again(self.get(reading_id), page)

    def correct(
        self, reading_id: str, page: int, correction: Correction, expected_revision: int | None, client: Caller
    ) -> CorrectedPage:
        """See PageCorrector.correct."""
        return self._corrector.correct(self.get(reading_id), page, correction, expected_revision, client)

    def evaluate(self, reading_id: str, page: int) -> list[PageEvaluation]:
        """Compare what a page said at first with what it says now. page: 0 = each. Raises as PageCorrector.evaluate."""
        info = self.get(reading_id)
        return [self._corrector.evaluate(info, number) for number in ([page] if page else info.pages)]

    def draw_page(self, reading_id: str, page: int, max_side: int, cancellation: Cancellation) -> PageImage:
        """Return a picture of a page whose longer side has at most max_side px. Raises NotFound, DataLoss, and what
        DocumentReader.draw_page raises.
        """
        folder = self.store.folder(reading_id)
        try:
            return self.reader.draw_page(folder / "document", page, max_side, cancellation)
        except HaleganadaError:
            self.store.get(reading_id)  # which may have been deleted meanwhile
            raise

    def export(self, reading_id: str, form: ReadingFormat, target: Path, cancellation: Cancellation) -> ReadingFile:
        """Write a reading to `target`, which the caller removes. Raises NotFound, DataLoss, and what
        DocumentReader.export raises; Precondition for the glyphs of a reading that cannot be corrected.
        """
        info = self.store.get(reading_id)
        try:
            if form is ReadingFormat.GLYPHS:
                return self._export_glyphs(info, target)
            if not info.workspace:
                return self.reader.export(self.store.folder(reading_id), info.file_name, form, target, cancellation)
            pages = [self._read_again(info, page) for page in info.pages]
            with self.store.hold_pages(reading_id, pages) as folder:
                return self.reader.export(folder, info.file_name, form, target, cancellation)
        except HaleganadaError:
            self.store.get(reading_id)  # which may have been deleted meanwhile
            raise

    def import_words(self, archive: Path, file_name: str, owner: str, cancellation: Cancellation) -> ReadingInfo:
        """Keep a reading that was made elsewhere. archive: a zip. Raises what DocumentReader.import_words and
        ReadingStore raise.
        """
        draft = self.store.begin()
        try:
            pages_total = self.reader.import_words(archive, draft.folder, cancellation)
            draft.adopt()
            return draft.finish(file_name, pages_total, owner=owner)
        finally:
            draft.discard()

    def delete(self, reading_id: str) -> None:
        """Raises NotFound."""
        self.store.delete(reading_id)
        self._corrector.pages.forget(reading_id)
        self._corrector.texts.forget(reading_id)

    def _export_glyphs(self, info: ReadingInfo, target: Path) -> ReadingFile:
        drawings = (drawing for page in info.pages for drawing in self._corrector.list_settled_drawings(info, page))
        self._write_drawings(drawings, target)
        stem = PurePosixPath(info.file_name).stem or "document"
        return ReadingFile(target, f"{stem}.glyphs.zip", "application/zip")

    def _read_again(self, info: ReadingInfo, page: int) -> PageReading:
        return self._corrector.read(info, page) if info.workspace else self.store.page(info.reading_id, page)

    def _keep(
        self, document: IncomingDocument, file_name: str, read: ReadPage, options: ReadOptions, owner: str
    ) -> ReadingInfo:
        draft = self.store.begin(document)
        try:
            draft.add(read.page, read.taught)
            return draft.finish(file_name, read.pages_total, options.taught_workspace, owner)
        finally:
            draft.discard()
