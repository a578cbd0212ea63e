"""Where the results of `read` go: to standard output as text or JSON, or to a file for each document."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import click

from haleganada_client.cli.files.documents import FoundDocument
from haleganada_client.cli.files.new_files import publish, temporary_neighbor, write_whole
from haleganada_client.cli.formatting import format_count, printable
from haleganada_client.cli.session import Session
from haleganada_client.json_values import to_json_value

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.reading.types import DocumentReading, PageReading

ENDINGS = {
    "text": (".txt",),
    "json": (".json",),
    "hocr": (".hocr",),
    "alto": (".alto.xml", ".alto.zip"),
    "page": (".page.xml", ".page.zip"),
    "pdf": (".pdf",),
    "tsv": (".tsv",),
    "words": (".words.zip",),
    "crops": (".crops.zip",),
    "glyphs": (".glyphs.zip",),
}
"""The endings of each format; a second one is for a zip with a file for each page."""
BINARY_FORMATS = ("pdf", "words", "crops", "glyphs")


class Results(Protocol):
    """Takes pages and documents as they are done."""

    needs_export: bool
    """Whether the server has to keep readings until they are exported."""

    def take_page(self, index: int, page: PageReading) -> None:
        """Take a page of the document of that index."""

    def take_document(self, client: HaleganadaClient, done: DocumentReading) -> None:
        """Take a document that is done. Raise HaleganadaError, OSError."""

    def finish(self) -> None:
        """Print what is left to print."""


class PrintedText:
    """Prints texts in the order of the documents. A form feed parts pages and documents; on a terminal, a line with its
    name precedes each of several documents.
    """

    needs_export = False

    def __init__(self, documents: Sequence[FoundDocument]) -> None:
        self._documents = documents
        self._pages = PageTexts()
        self._waiting: dict[int, str | None] = {}
        self._next = 0
        self._printed = 0

    def take_page(self, index: int, page: PageReading) -> None:
        self._pages.take(index, page)

    def take_document(self, client: HaleganadaClient, done: DocumentReading) -> None:
        del client
        text = self._pages.pop(done.index)
        self._waiting[done.index] = None if done.error else text
        while self._next in self._waiting:
            self._print(self._documents[self._next], self._waiting.pop(self._next))
            self._next += 1

    def finish(self) -> None:
        for index, text in sorted(self._waiting.items()):  # after one that was never answered
            self._print(self._documents[index], text)

    def _print(self, document: FoundDocument, text: str | None) -> None:
        if text is None:
            return
        if sys.stdout.isatty():
            text = text.replace("\f", "\n")
            if len(self._documents) > 1:
                click.secho(f"== {printable(document.shown)} ==", bold=True)
        elif self._printed:
            click.echo("\f", nl=False)
        click.echo(text, nl=False)
        self._printed += 1


class PrintedJson:
    """Prints all documents with their pages as one JSON list, in the order of the documents."""

    needs_export = False

    def __init__(self, session: Session, documents: Sequence[FoundDocument]) -> None:
        self._session = session
        self._documents = documents
        self._pages: dict[int, dict[int, Any]] = {}
        self._done: dict[int, dict[str, Any]] = {}

    def take_page(self, index: int, page: PageReading) -> None:
        self._pages.setdefault(index, {})[page.page] = to_json_value(page)

    def take_document(self, client: HaleganadaClient, done: DocumentReading) -> None:
        del client
        pages = self._pages.pop(done.index, {})
        self._done[done.index] = {
            **describe_document(self._documents[done.index], done),
            "pages": [page for _, page in sorted(pages.items())],
        }

    def finish(self) -> None:
        self._session.show([value for _, value in sorted(self._done.items())], "")


class PrintedFile:
    """Writes the only document in a format that the server makes to standard output."""

    needs_export = True

    def __init__(self, format: str, keep: bool) -> None:
        self._format = format
        self._keep = keep

    def take_page(self, index: int, page: PageReading) -> None:
        """The server has the pages."""

    def take_document(self, client: HaleganadaClient, done: DocumentReading) -> None:
        export(client, done, self._format, sys.stdout.buffer, self._keep)
        sys.stdout.buffer.flush()

    def finish(self) -> None:
        """The file is there."""


class WrittenFiles:
    """Writes a file for each document to a folder; it appears when it is complete."""

    def __init__(
        self,
        session: Session,
        documents: Sequence[FoundDocument],
        folder: Path,
        *,
        format: str,
        overwrite: bool,
        keep: bool,
    ) -> None:
        self.needs_export = format != "text"
        self._session = session
        self._documents = documents
        self._folder = folder
        self._format = format
        self._overwrite = overwrite
        self._keep = keep
        self._texts = PageTexts()
        self._done: dict[int, dict[str, Any]] = {}
        self._pages = 0

    def take_page(self, index: int, page: PageReading) -> None:
        if self._format == "text":
            self._texts.take(index, page)

    def take_document(self, client: HaleganadaClient, done: DocumentReading) -> None:
        document = self._documents[done.index]
        facts = describe_document(document, done)
        self._done[done.index] = facts
        if done.error is None:
            facts["output"] = str(self._write(client, document, done))
            self._pages += done.pages_read
        else:
            self._texts.pop(done.index)

    def finish(self) -> None:
        facts = [value for _, value in sorted(self._done.items())]
        written = [value["output"] for value in facts if value["output"]]
        where = printable(written[0] if len(written) == 1 else str(self._folder))
        pages, documents = format_count(self._pages, "page"), format_count(len(written), "document")
        self._session.show(facts, f"wrote {pages} of {documents} to {where}" if written else "nothing was written")

    def _write(self, client: HaleganadaClient, document: FoundDocument, done: DocumentReading) -> Path:
        stem = self._folder / document.stem
        with temporary_neighbor(stem) as temporary:
            if self._format == "text":
                ending = ENDINGS["text"][0]
                write_whole(temporary, self._texts.pop(done.index).encode())
            else:
                name = export(client, done, self._format, temporary, self._keep)
                ending = ENDINGS[self._format][-1 if name.endswith(".zip") else 0]
            target = stem.with_name(stem.name + ending)
            publish(temporary, target, self._overwrite)
        return target


class PageTexts:
    """The texts of the pages of documents that are not done yet."""

    def __init__(self) -> None:
        self._texts: dict[int, dict[int, str]] = {}

    def take(self, index: int, page: PageReading) -> None:
        """Remember the text of a page of the document of that index."""
        self._texts.setdefault(index, {})[page.page] = page.text

    def pop(self, index: int) -> str:
        """Return the text of a document and forget it; a form feed parts its pages."""
        return "\f".join(text for _, text in sorted(self._texts.pop(index, {}).items()))


def describe_document(document: FoundDocument, done: DocumentReading) -> dict[str, Any]:
    """Return the JSON value for a document."""
    facts = to_json_value(replace(done, pages=()))
    del facts["index"], facts["name"], facts["pages"]
    return {"file": document.shown, "output": None, **facts}


def export(client: HaleganadaClient, done: DocumentReading, format: str, target: Path | BinaryIO, keep: bool) -> str:
    """Write a document's reading, which the server keeps until then, and return the server's name for the file."""
    assert done.reading is not None, "it was asked for"
    try:
        return client.readings.export(done.reading.reading_id, format, target).file_name
    finally:
        if not keep:
            client.readings.delete(done.reading.reading_id)


def list_taken(documents: Sequence[FoundDocument], folder: Path, format: str) -> dict[Path, Path]:
    """Return the paths of the documents whose files are there already, with those files."""
    taken = {}
    for document in documents:
        stem = folder / document.stem
        targets = [stem.with_name(stem.name + ending) for ending in ENDINGS[format]]
        if found := next((target for target in targets if target.exists()), None):
            taken[document.path] = found
    return taken
