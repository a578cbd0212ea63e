"""The work on one document of a stream: open it, read its pages, finish it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Cancelled, HaleganadaError
from haleganada_server.core.outcomes import strip_traceback

from .options import ReadOptions
from .page import PageReading
from .page_list import PageList
from .ports import IncomingDocument, PageReader, ReadingDraft, ReadingStore
from .reading import ReadingInfo
from .taught.assembly import forget_ids

_FATAL = (Reason.READER_FAILED, Reason.READER_TIMEOUT)
_FATAL_IN_A_ROW = 3
"""A document that has brought down so many readers in a row is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRequest:
    """A document and how to read it. file_name: "" = not given. keep: store its reading. owner: who has it read."""

    document_id: str
    file_name: str
    pages: PageList
    options: ReadOptions
    keep: bool
    owner: str = ""


@dataclass(frozen=True, slots=True)
class PageRead:
    """A page. pages_total: how many of the document are read in all."""

    document_id: str
    page: PageReading
    pages_total: int


@dataclass(frozen=True, slots=True)
class PageFailed:
    """A page that could not be read. page: its number."""

    document_id: str
    page: int
    error: Exception
    pages_total: int


@dataclass(frozen=True, slots=True)
class DocumentDone:
    """The end of a document. reading: None if it is not kept."""

    document_id: str
    pages_read: int = 0
    pages_failed: int = 0
    error: Exception | None = None
    reading: ReadingInfo | None = None


Event = PageRead | PageFailed | DocumentDone
Outcome = PageReading | ReadingInfo | Exception | None


class Step(Enum):
    """What is to be done with a document."""

    OPEN = auto()
    READ = auto()
    FINISH = auto()


@dataclass(frozen=True, slots=True)
class Task:
    """page: the number of the one to READ."""

    step: Step
    page: int = 0


class DocumentWork:
    """One document. next_task, end_task and cancel need the stream's lock; carry_out runs without it, for several
    tasks at once.
    """

    def __init__(
        self,
        request: DocumentRequest,
        document: IncomingDocument,
        reader: PageReader,
        store: ReadingStore,
        waiting: Cancellation,
    ) -> None:
        """document: is removed in the end. waiting: of the stream."""
        self.document_id = request.document_id
        self._request, self._document, self._path = request, document, document.path
        self._reader, self._store = reader, store
        self._cancellation = replace(waiting, is_active=lambda: not self._is_cancelled and waiting.is_active())
        self._draft: ReadingDraft | None = None
        self._pages: list[int] = []  # to read
        self._document_pages = 0  # in all
        self._begun = self._running = 0  # pages
        self._is_open = self._is_opening = self._is_finishing = self._is_cancelled = False
        self._read = self._failed = self._fatal_in_a_row = 0  # pages
        self._error: Exception | None = None  # why the document, or its rest, is not read
        self._page_error: Exception | None = None  # the first
        self._keep_error: Exception | None = None  # why it is not kept

    def next_task(self) -> Task | None:
        """Begin something that can be done now, if there is anything."""
        if not self._is_opening:
            self._is_opening = True
            return Task(Step.OPEN)
        if not self._is_open:
            return None
        if self._begun < len(self._pages):
            self._begun += 1
            self._running += 1
            return Task(Step.READ, self._pages[self._begun - 1])
        if self._running or self._is_finishing:
            return None
        self._is_finishing = True
        return Task(Step.FINISH)

    def carry_out(self, task: Task) -> Outcome:
        """Do what was begun, and return the result, or the error."""
        steps: dict[Step, Callable[[int], Outcome]] = {
            Step.OPEN: self._open, Step.READ: self._read_page, Step.FINISH: self._finish,
        }  # fmt: skip
        try:
            return steps[task.step](task.page)
        except Exception as error:
            return strip_traceback(error)

    def end_task(self, task: Task, outcome: Outcome) -> Event | None:
        """Note what has become of a task, and return what to tell."""
        if task.step is Step.OPEN:
            self._is_open = True
            self._error = self._error or (outcome if isinstance(outcome, Exception) else None)
            return None
        if task.step is Step.FINISH:
            return self._describe_end(outcome)
        self._running -= 1
        if isinstance(outcome, PageReading):
            self._read += 1
            self._fatal_in_a_row = 0
            return PageRead(self.document_id, outcome, len(self._pages))
        if self._is_cancelled or not isinstance(outcome, Exception):
            return None
        self._note_failure(outcome)
        return PageFailed(self.document_id, task.page, outcome, len(self._pages))

    def cancel(self) -> None:
        """Begin nothing more but the end, and stop what is being done."""
        if not self._is_finishing:
            self._is_cancelled = True
            self._error = cancelled_document(self.document_id)
            self._begin_no_more()

    def remove(self) -> None:
        """Remove the files."""
        if self._draft is not None:
            self._draft.discard()
        self._document.remove()

    def _open(self, _page: int) -> None:
        self._document_pages = self._reader.count_pages(self._path, self._cancellation)
        pages = self._request.pages.choose(self._document_pages)
        if self._request.keep:
            self._draft = self._store.begin(self._document)
            self._path = self._draft.document
        self._pages = [] if self._is_cancelled else pages

    def _read_page(self, page: int) -> PageReading:
        read = self._reader.read_page(self._path, page, self._request.options, self._cancellation)
        if self._draft is not None and self._keep_error is None:
            try:
                self._draft.add(read.page, read.taught)
            except Exception as error:
                self._keep_error = strip_traceback(error)
        return read.page if self._draft is not None or read.taught is None else forget_ids(read.page)

    def _finish(self, _page: int) -> ReadingInfo | None:
        try:
            if self._draft is None or self._is_cancelled or self._keep_error or not self._read:
                return None
            request = self._request
            workspace = request.options.taught_workspace
            return self._draft.finish(request.file_name, self._document_pages, workspace, request.owner)
        finally:
            self.remove()

    def _note_failure(self, error: Exception) -> None:
        self._failed += 1
        self._page_error = self._page_error or error
        if isinstance(error, HaleganadaError) and error.reason in _FATAL:
            self._fatal_in_a_row += 1
            if self._fatal_in_a_row >= _FATAL_IN_A_ROW:
                self._error = self._error or error
                self._begin_no_more()

    def _begin_no_more(self) -> None:
        self._pages = self._pages[: self._begun]

    def _describe_end(self, outcome: Outcome) -> DocumentDone:
        reading = outcome if isinstance(outcome, ReadingInfo) else None
        not_kept = outcome if isinstance(outcome, Exception) else self._keep_error
        error = self._error or (None if self._read else self._page_error) or not_kept
        return DocumentDone(self.document_id, self._read, self._failed, error, reading)


def cancelled_document(document_id: str) -> Cancelled:
    """Return the error of a document that its caller no longer wants."""
    return Cancelled(f"the document “{document_id}” was cancelled by its sender", Reason.DOCUMENT_CANCELLED)
