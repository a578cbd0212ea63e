"""readings: what the server keeps of the documents that it has read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.files.new_files import publish, temporary_neighbor
from haleganada_client.cli.formatting import (
    format_count,
    format_percent,
    format_size,
    format_table,
    format_time,
    printable,
    printable_lines,
)
from haleganada_client.cli.output.file_errors import name_file_in_errors
from haleganada_client.cli.session import Session, with_session
from haleganada_client.reading.words import READING_FORMATS

from .options import FORMATS_TEXT
from .results import BINARY_FORMATS

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.reading.types import PageReading, Reading


@click.group("readings", cls=DefaultGroup)
def readings_command() -> None:
    """List readings that the server keeps (ls, the default); show, export, import or delete one.

    Readings are made by `haleganada read --keep` and by the page. The server deletes each one when it expires, except
    those that were corrected.
    """


@readings_command.command("ls")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="List at most this many.")
@with_session
def list_readings(session: Session, limit: int) -> None:
    """List readings, newest first."""
    with session.client() as client:
        readings = client.readings.list(limit)
    header = ["reading", "file", "pages", "size", "read", "kept until", "text"]
    rows = [_row(reading) for reading in readings]
    session.show(readings, format_table(rows, header, right={2, 3}) if rows else "no readings")


@readings_command.command("show")
@click.argument("reading_id")
@click.option("--page", "number", type=click.IntRange(1), metavar="NUMBER", help="Only this page. [default: all]")
@click.option("--glyphs", is_flag=True, help="List the glyphs of taught pages, with their ids and boxes.")
@with_session
def show_reading(session: Session, reading_id: str, number: int | None, glyphs: bool) -> None:
    """Show the reading READING_ID: its details and its text. With --json, also where every word is."""
    with session.client() as client:
        reading = client.readings.get(reading_id)
        numbers = reading.pages if number is None else [number]
        pages = [] if reading.damaged else [client.readings.page(reading_id, page) for page in numbers]
    texts = [_format_glyphs(page) if glyphs else _format_page(page) for page in pages]
    session.show({"reading": reading, "pages": pages}, "\n\n".join([_format_reading(reading), *texts]))


@readings_command.command("evaluate")
@click.argument("reading_id")
@with_session
def evaluate_reading(session: Session, reading_id: str) -> None:
    """Compare the first text of each page of the taught reading READING_ID with its text now.

    The text now is taken to be right. “Untouched” is what a page would say now if its glyphs had been taught, but
    nobody had corrected it.
    """
    with session.client() as client:
        pages = client.readings.evaluate(reading_id)
    header = ["page", "glyphs", "settled", "corrections", "wrong at first", "wrong untouched"]
    rows = [
        [
            str(page.page),
            str(page.glyphs),
            str(page.settled_glyphs),
            str(page.corrections),
            _format_share(page.first_errors, page.glyphs),
            _format_share(page.unsettled_errors, page.glyphs),
        ]
        for page in pages
    ]
    session.show(pages, format_table(rows, header, right=set(range(6))))


@readings_command.command(
    "export",
    help=f"Export the reading READING_ID to FILE, or to standard output if FILE is -.\n\n{FORMATS_TEXT}\n"
    "glyphs a data set of the glyphs that people have named: a zip with a folder for each label\n\n"
    "FILE appears only when it is complete and its checksum is verified.",
)
@click.argument("reading_id")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--format", "-f", type=click.Choice(READING_FORMATS), default="text", show_default=True, help="What to write."
)
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
@with_session
def export_reading(session: Session, reading_id: str, file: Path, format: str, overwrite: bool) -> None:
    if str(file) == "-":
        if format in BINARY_FORMATS and sys.stdout.isatty():
            raise click.UsageError(f"{format} cannot be shown in a terminal; name a file")
        with session.client() as client:
            client.readings.export(reading_id, format, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    if file.exists() and not overwrite:
        raise click.UsageError(f"{printable(str(file))} exists already; --overwrite replaces it")
    with session.client() as client, temporary_neighbor(file) as temporary:
        exported = client.readings.export(reading_id, format, temporary)
        publish(temporary, file, overwrite)
    size = format_size(exported.size_bytes)
    session.show({"file": str(file), "export": exported}, f"wrote {printable(str(file))} ({size})")


@readings_command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE.zip")
@with_session
def import_reading(session: Session, file: Path) -> None:
    """Import a reading that was made elsewhere from a zip as `--format words` writes it: words.txt in the IAM
    database's format, and pictures in words/ and page/.
    """
    with session.client() as client, name_file_in_errors(file.name):
        reading = client.readings.import_(file)
    session.show(reading, f"imported {format_count(len(reading.pages), 'page')} as {reading.reading_id}")


@readings_command.command("delete")
@click.argument("reading_ids", nargs=-1, required=True, metavar="READING_ID...")
@with_session
def delete_readings(session: Session, reading_ids: tuple[str, ...]) -> None:
    """Delete readings and their documents now."""
    deleted: list[str] = []
    try:
        with session.client() as client:
            for reading_id in reading_ids:
                client.readings.delete(reading_id)
                deleted.append(reading_id)
    finally:  # tell which readings were deleted even if the next one cannot be
        if deleted:
            session.show({"deleted": deleted}, "\n".join(f"deleted reading {name}" for name in deleted))


def _row(reading: Reading) -> list[str]:
    excerpt = " ".join(reading.excerpt.split())
    return [
        reading.reading_id,
        reading.file_name or "-",
        _describe_pages(reading),
        format_size(reading.size_bytes),
        format_time(reading.create_time),
        describe_end(reading),
        "damaged" if reading.damaged else f"{excerpt[:40]}…" if len(excerpt) > 40 else excerpt,
    ]


def describe_end(reading: Reading) -> str:
    """Return until when a reading is kept."""
    return format_time(reading.expire_time) if reading.expire_time else "it is deleted"


def _describe_pages(reading: Reading) -> str:
    read = len(reading.pages)
    return f"{read:,}" if read == reading.pages_total else f"{read:,} of {reading.pages_total:,}"


def _format_share(part: int, whole: int) -> str:
    return f"{part} ({format_percent(part / whole)})" if whole else str(part)


def _format_reading(reading: Reading) -> str:
    facts = [
        ["reading", reading.reading_id],
        ["file", reading.file_name or "-"],
        ["pages", _describe_pages(reading)],
        ["engines", ", ".join(reading.engines) or "-"],
        ["read", format_time(reading.create_time)],
        ["kept until", describe_end(reading)],
    ]
    if reading.damaged:
        facts.append(["state", "damaged: it can only be deleted"])
    return format_table(facts)


def _format_page(page: PageReading) -> str:
    lines = printable_lines(page.text)
    return f"page {page.page}:\n{lines}" if lines else f"page {page.page}: no text"


def _format_glyphs(page: PageReading) -> str:
    rows = [
        [
            "-" if glyph.glyph_id is None else str(glyph.glyph_id),
            str(number),
            printable(glyph.text) or "-",
            "settled" if glyph.settled else "" if glyph.confidence is None else format_percent(glyph.confidence),
            *(str(round(edge)) for edge in glyph.box),
        ]
        for number, line in enumerate(page.lines, start=1)
        for word in line.words
        for glyph in word.glyphs
    ]
    header = ["glyph", "line", "text", "sure", "left", "top", "right", "bottom"]
    return f"page {page.page}:\n{format_table(rows, header, right={0, 1, 4, 5, 6, 7})}"
