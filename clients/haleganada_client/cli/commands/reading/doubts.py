"""Notes on documents of which little or nothing was read, though nothing failed."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.formatting import format_count, printable
from haleganada_client.errors import HaleganadaError

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.reading.types import Engine, PageReading

_CERTAIN = 0.75
"""Print is read with 0.9 and more, hard handwriting with 0.8; an unknown script with 0.4 to 0.7."""


class Doubts:
    """Notices documents without text, and those in which most lines are uncertain, as in an unknown script."""

    def __init__(self) -> None:
        self._confidences: dict[int, list[float]] = {}
        self._empty: list[str] = []
        self._uncertain: list[str] = []

    def take_page(self, index: int, page: PageReading) -> None:
        """Remember how sure the engines were of the lines of a page; 1 where they did not say."""
        confidences = self._confidences.setdefault(index, [])
        confidences += [1.0 if line.confidence is None else line.confidence for line in page.lines]
        if page.text.strip() and not page.lines:
            confidences.append(1.0)

    def take_document(self, index: int, name: str) -> None:
        """Judge a document that is done; one of which no page was read has its error already."""
        confidences = self._confidences.pop(index, None)
        if confidences is None:
            return
        if not confidences:
            self._empty.append(name)
        elif statistics.median(confidences) < _CERTAIN:
            self._uncertain.append(name)

    def tell(self, client: HaleganadaClient) -> None:
        """Say on stderr which documents these are, and which engines to install that may read them better."""
        if not (self._empty or self._uncertain):
            return
        missing = _list_missing(client)
        if self._empty:
            click.echo(f"haleganada: {_name(self._empty)}: no text was found", err=True)
        if self._uncertain and missing:
            click.echo(f"haleganada: {_name(self._uncertain)}: most of the text is uncertain", err=True)
        for engine in missing:
            hint = f"{printable(engine.display_name)} may read more; on the server: {printable(engine.install_hint)}"
            click.echo(f"haleganada: {hint}", err=True)


def _list_missing(client: HaleganadaClient) -> list[Engine]:
    """Return the engines that are not installed; none if the server does not say."""
    try:
        return [engine for engine in client.engines() if not engine.installed]
    except HaleganadaError:
        return []


def _name(documents: list[str]) -> str:
    others = f" and {format_count(len(documents) - 1, 'other document')}" if len(documents) > 1 else ""
    return printable(documents[0]) + others
