"""Many documents, read one after another, several pages at once, in bounded memory.

Documents come in by one thread and events go out by another; the pages are read by a few threads of this object. They
read no further page while events wait to be taken, and no further document comes in while enough are unfinished.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from dataclasses import replace

from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import AlreadyExists, Cancelled, Exhausted, InvalidInput
from haleganada_server.core.limits import MAX_STREAMED_DOCUMENTS, UNFINISHED_DOCUMENTS
from haleganada_server.core.outcomes import strip_traceback

from .document_work import DocumentDone, DocumentRequest, DocumentWork, Event, Task
from .ports import IncomingDocument, PageReader, ReadingStore

_TICK_S = 0.25


class DocumentStream:
    """One stream of documents. Iterate over events() once; it closes everything at its end."""

    def __init__(self, reader: PageReader, store: ReadingStore, cancellation: Cancellation) -> None:
        self._reader, self._store, self._cancellation = reader, store, cancellation
        self._waiting = replace(cancellation, is_active=lambda: not self._is_closed and cancellation.is_active())
        self._max_events = 2 * reader.count
        self._changed = threading.Condition()  # guards everything below
        self._ids: set[str] = set()  # of all documents that have begun
        self._begun = 0  # documents without a result
        self._works: dict[str, DocumentWork] = {}  # the documents that are complete, without a result, by id
        self._events: deque[Event] = deque()
        self._threads: list[threading.Thread] = []
        self._failure: Exception | None = None
        self._has_all = self._is_closed = False

    # For the thread that brings documents

    def begin(self, document_id: str) -> None:
        """A document begins: wait until few enough are unfinished. Raises AlreadyExists, Exhausted, Cancelled."""
        with self._changed:
            if document_id in self._ids:
                raise AlreadyExists(
                    f"this stream has had a document “{document_id}”; use each document_id once",
                    Reason.DOCUMENT_ID_REUSED,
                )
            if len(self._ids) >= MAX_STREAMED_DOCUMENTS:
                raise Exhausted(
                    f"this stream has had {MAX_STREAMED_DOCUMENTS:,} documents; begin another", Reason.QUOTA_EXCEEDED
                )
            while self._begun >= UNFINISHED_DOCUMENTS and not self._is_closed:
                self._changed.wait(_TICK_S)
            self._require_open()
            self._ids.add(document_id)
            self._begun += 1

    def add(self, request: DocumentRequest, document: IncomingDocument) -> None:
        """Read a complete document, which this object removes in the end."""
        work = DocumentWork(request, document, self._reader, self._store, self._waiting)
        with self._changed:
            if self._is_closed:
                document.remove()
                return
            self._works[request.document_id] = work
            while len(self._threads) < self._reader.count:  # a document alone has pages for all of them, too
                self._threads.append(threading.Thread(target=self._work, name="document", daemon=True))
                self._threads[-1].start()
            self._changed.notify_all()

    def refuse(self, document_id: str, error: Exception) -> None:
        """A document that has begun cannot be read."""
        with self._changed:
            while len(self._events) >= self._max_events and not self._is_closed:
                self._changed.wait(_TICK_S)
            self._finish(DocumentDone(document_id, error=strip_traceback(error)))

    def cancel(self, document_id: str) -> None:
        """Stop working on a document. Raises InvalidInput if it has never begun."""
        with self._changed:
            if document_id not in self._ids:
                raise InvalidInput("cancel.document_id", "names no document of this stream")
            if (work := self._works.get(document_id)) is not None:
                work.cancel()
                self._changed.notify_all()

    def end_input(self) -> None:
        """No further documents come."""
        with self._changed:
            self._has_all = True
            self._changed.notify_all()

    def fail(self, error: Exception) -> None:
        """End the stream with this error."""
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()
        self.abandon()

    # For any thread

    def is_busy(self) -> bool:
        """Return whether there is something to read, or to be taken."""
        return bool(self._works or self._events)

    def abandon(self) -> None:
        """Stop everything: nobody waits for it any longer."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    # For the thread that takes events

    def events(self) -> Generator[Event, None, None]:
        """Yield what happens, until all documents are done. Raises the error that the stream ends with."""
        try:
            while (event := self._wait_for_event()) is not None:
                yield event
        finally:
            self._close()

    def _wait_for_event(self) -> Event | None:
        with self._changed:
            while True:
                if self._failure is not None:
                    raise self._failure
                self._cancellation.check()
                if self._events:
                    self._changed.notify_all()
                    return self._events.popleft()
                self._require_open()
                if self._is_over():
                    return None
                self._changed.wait(_TICK_S)

    def _close(self) -> None:
        """Stop everything, and remove what is left."""
        self.abandon()
        for thread in self._threads:
            thread.join()
        for work in self._works.values():
            work.remove()

    def _require_open(self) -> None:
        if self._is_closed:
            raise Cancelled()

    # The threads that read

    def _work(self) -> None:
        while (begun := self._wait_for_task()) is not None:
            work, task = begun
            outcome = work.carry_out(task)
            with self._changed:
                event = work.end_task(task, outcome)
                if isinstance(event, DocumentDone):
                    del self._works[work.document_id]
                    self._finish(event)
                elif event is not None:
                    self._events.append(event)
                self._changed.notify_all()

    def _wait_for_task(self) -> tuple[DocumentWork, Task] | None:
        """Begin what can be done next; None if there is nothing more."""
        with self._changed:
            while not self._is_closed and not self._is_over():
                if len(self._events) < self._max_events:
                    for work in self._works.values():
                        if (task := work.next_task()) is not None:
                            return work, task
                self._changed.wait()
            return None

    def _finish(self, done: DocumentDone) -> None:
        self._events.append(done)
        self._begun -= 1
        self._changed.notify_all()

    def _is_over(self) -> bool:
        """Return whether all documents are done."""
        return self._has_all and not self._begun
