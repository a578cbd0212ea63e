"""The loop of the commands that read documents."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from haleganada_client.cli.files.documents import STDIN, FoundDocument
from haleganada_client.cli.formatting import printable
from haleganada_client.cli.session import Session
from haleganada_client.errors import DeadlineExceeded, HaleganadaError, Unavailable, from_item

from .doubts import Doubts
from .progress import ReadingProgress
from .readings import describe_end
from .results import Results
from .step_pictures import StepPictures

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.reading.types import Document, DocumentPage, DocumentReading


class DocumentRun:
    """Reads documents with one client, passes them on, and tells what is wrong with them."""

    def __init__(
        self,
        session: Session,
        documents: Sequence[FoundDocument],
        results: Results,
        *,
        keep: bool = False,
        pictures: StepPictures | None = None,
    ) -> None:
        """keep: readings stay on the server. pictures: where those of the preparation go."""
        self._session = session
        self._documents = documents
        self._results = results
        self._keep = keep
        self._pictures = pictures
        self._progress = ReadingProgress(session, len(documents))
        self._doubts = Doubts()

    def read(self, **choices: Any) -> ReadingProgress:
        """Read all documents, finish the results, and return how that went. choices: for HaleganadaClient.read_many.
        Raise HaleganadaError if the server cannot be reached, OSError if a result cannot be written.
        """
        choices |= {"keep": self._keep or self._results.needs_export, "debug": self._pictures is not None}
        try:
            self._read(choices)
        except HaleganadaError as error:
            if self._progress.documents_done:
                self._results.finish()
                error.message += f" ({self._progress.documents_done:,} of {len(self._documents):,} documents are done)"
            raise
        self._progress.tell_untold()
        self._results.finish()
        return self._progress

    def _read(self, choices: dict[str, Any]) -> None:
        with ExitStack() as stack:
            sources: list[Document] = [
                stack.enter_context(_copy_stdin()) if document.path == STDIN else document.path
                for document in self._documents
            ]
            client = stack.enter_context(self._session.client())
            stack.enter_context(self._progress)
            stream: Any = client.read_many(sources, on_page=self._take_page, **choices)
            stack.enter_context(closing(stream))
            for done in stream:
                self._take_document(client, done)
            with self._progress.aside():
                self._doubts.tell(client)

    def _take_page(self, page: DocumentPage) -> None:
        if page.page is not None:
            if self._pictures is not None:
                self._pictures.write(self._documents[page.index], page.page)
            self._results.take_page(page.index, page.page)
            self._doubts.take_page(page.index, page.page)
        self._progress.take_page(page)

    def _take_document(self, client: HaleganadaClient, done: DocumentReading) -> None:
        name = self._documents[done.index].shown
        self._tell_errors(name, done)
        try:
            with self._progress.aside():
                self._results.take_document(client, done)
        except (Unavailable, DeadlineExceeded):
            raise
        except HaleganadaError as error:
            self._progress.tell_failure(done.index, name, error)
        except FileExistsError as error:
            taken = HaleganadaError(f"{error.filename} exists already; --overwrite replaces it")
            self._progress.tell_failure(done.index, name, taken)
        if self._keep and done.reading is not None and not self._session.json:
            until = describe_end(done.reading)
            with self._progress.aside():
                click.echo(f"{printable(name)} is kept as {done.reading.reading_id} until {until}", err=True)
        self._doubts.take_document(done.index, name)
        self._progress.take_document(done.index)

    def _tell_errors(self, name: str, done: DocumentReading) -> None:
        if done.error is not None:
            self._progress.tell_failure(done.index, name, from_item(done.error))
            return
        for failed in done.page_errors:
            self._progress.tell_failure(done.index, name, from_item(failed.error), failed.page)


@contextmanager
def _copy_stdin() -> Iterator[BinaryIO]:
    """Yield a copy of standard input. A program could not end while a thread waits for that itself."""
    with tempfile.TemporaryFile(prefix="haleganada-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.seek(0)
        yield copy
