"""What people see while documents are read: a bar with the time left, and a line for each failure."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from haleganada_client.cli.exit_codes import ExitCode, exit_code_for
from haleganada_client.cli.formatting import format_count, printable
from haleganada_client.cli.output.file_errors import describe_file_error
from haleganada_client.cli.session import Session
from haleganada_client.errors import HaleganadaError

if TYPE_CHECKING:
    from haleganada_client.reading.types import DocumentPage

_CLEAR_LINE = "\r\x1b[K"
_SHOW_CURSOR = "\x1b[?25h"  # which the bar hides
_ABOUT_THE_SERVER = ("ENGINE_NOT_FOUND", "ENGINE_NOT_INSTALLED", "LANGUAGE_NOT_INSTALLED", "MODE_UNAVAILABLE")


class ReadingProgress:
    """Counts pages as they are done, and failures. Use it in a with statement. The bar appears on stderr if that is a
    terminal.
    """

    def __init__(self, session: Session, documents: int) -> None:
        self._documents = documents
        self._bar: Any = session.progress(documents, "Reading")
        self._bar.show_pos = True
        self._is_clear = False
        self._begun: dict[int, int] = {}  # pages left of documents that are not done
        self._known = 0  # documents whose number of pages is known
        self._known_pages = 0  # of all of them
        self._passed = 0
        self._codes: dict[int, ExitCode] = {}
        self._told: set[str] = set()
        self._untold = 0
        self.documents_done = 0

    def __enter__(self) -> ReadingProgress:
        self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._is_clear:
            click.echo(_SHOW_CURSOR, nl=False, err=True)
        else:
            self._bar.__exit__(*error)

    def take_page(self, page: DocumentPage) -> None:
        """Count a page, whether it could be read or not."""
        if page.index not in self._begun:
            self._begin(page.index, max(page.pages_total, 1))
        self._begun[page.index] -= 1
        self._advance(1)

    def take_document(self, index: int) -> None:
        """Count a document that is done; pages that have never come are passed over."""
        if index not in self._begun:
            self._begin(index, 1)
        self.documents_done += 1
        if left := self._begun.pop(index):
            self._advance(left)

    def _begin(self, index: int, pages: int) -> None:
        self._begun[index] = pages
        self._known += 1
        self._known_pages += pages

    def _advance(self, pages: int) -> None:
        """Draw the bar anew. Documents that have not begun are taken to be as long as the others."""
        self._passed += pages
        mean = self._known_pages / self._known
        self._bar.length = self._known_pages + round(mean * (self._documents - self._known))
        self._bar.update(self._passed - self._bar.pos)
        self._is_clear = False

    def tell_failure(self, index: int, name: str, error: HaleganadaError, page: int | None = None) -> None:
        """Print why a document or one page of it could not be read; what the server lacks, only once."""
        self._codes[index] = exit_code_for(error) if page is None else ExitCode.FAILURE
        if error.reason in _ABOUT_THE_SERVER:
            if error.message in self._told:
                self._untold += 1
                return
            self._told.add(error.message)
        where = printable(name) + (f", page {page}" if page is not None else "")
        with self.aside():
            click.echo(f"haleganada: {where}: {printable(describe_file_error(error))}", err=True)

    def tell_untold(self) -> None:
        """Say at the end how many documents had an error that was printed for another one."""
        if self._untold:
            click.echo(f"haleganada: the same for {format_count(self._untold, 'other document')}", err=True)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Clear the bar's line while something else is printed."""
        if sys.stderr.isatty():
            click.echo(_CLEAR_LINE, nl=False, err=True)
            self._is_clear = True
        yield

    @property
    def exit_code(self) -> ExitCode:
        """SUCCESS if nothing failed; the errors' own code if every document failed with the same one."""
        if not self._codes:
            return ExitCode.SUCCESS
        codes = set(self._codes.values())
        return codes.pop() if len(self._codes) == self._documents and len(codes) == 1 else ExitCode.FAILURE
