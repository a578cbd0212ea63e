"""read: the text of scans, photos and PDFs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.files.documents import FoundDocument, find_documents
from haleganada_client.cli.formatting import format_count, printable
from haleganada_client.cli.session import Session, with_session
from haleganada_client.reading.words import READING_FORMATS, TEXT_LAYERS

from .options import FORMATS_TEXT, reading_options
from .results import BINARY_FORMATS, ENDINGS, PrintedFile, PrintedJson, PrintedText, Results, WrittenFiles, list_taken
from .run import DocumentRun
from .step_pictures import StepPictures

_FORMATS = tuple(name for name in READING_FORMATS if name != "glyphs")  # nobody has named any yet
_FILE_SUFFIXES = {f".{ending.rpartition('.')[2]}" for endings in ENDINGS.values() for ending in endings}


@click.command(
    "read",
    help="Read the text of scans, photos and PDFs. FILES are images, PDFs, folders of them, patterns such as "
    f"'scans/*.jpg', or - for standard input.\n\n{FORMATS_TEXT}\n\n"
    "If a document cannot be read, the others still are. The exit code is then 1, or the error's own if all documents "
    "failed for the same reason. Files in the output folder are not replaced without --overwrite, so "
    "an interrupted command can be repeated.\n\n"
    "\b\nhaleganada read letter.jpg\nhaleganada read scans/ --out text/\n"
    "haleganada read book.pdf --pages 3-7 --lang kan --format pdf --out searchable/",
)
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True))
@reading_options
@click.option("--format", "-f", type=click.Choice(_FORMATS), default="text", show_default=True, help="What to write.")
@click.option(
    "--out",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a file for each document to this folder. [default: print the text]",
)
@click.option("--overwrite", is_flag=True, help="Read documents again even if --out already has their files.")
@click.option(
    "--text-layer",
    type=click.Choice(TEXT_LAYERS),
    default="use",
    show_default=True,
    help="Use the text that a PDF already contains, or replace it with what is read from its pictures.",
)
@click.option("--keep", is_flag=True, help="Keep the readings on the server for a while; see `haleganada readings`.")
@click.option(
    "--debug",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a picture of each page after each step of the preparation to this folder.",
)
@with_session
def read_command(
    session: Session,
    files: tuple[str, ...],
    format: str,
    out: Path | None,
    overwrite: bool,
    keep: bool,
    debug: Path | None,
    **choices: Any,
) -> None:
    if out is not None and out.suffix.lower() in _FILE_SUFFIXES and not out.exists():
        raise click.UsageError(f"--out names a folder; for one file, type > {printable(str(out))} instead")
    documents = find_documents(files, out)
    if not documents:
        raise click.UsageError("name the documents: images, PDFs, folders, patterns, or - for standard input")
    left_out = {} if out is None or overwrite else list_taken(documents, out, format)
    documents = [document for document in documents if document.path not in left_out]
    results = _choose_results(session, documents, format, out, overwrite, keep)
    pictures = None if debug is None else StepPictures(debug)
    run = DocumentRun(session, documents, results, keep=keep, pictures=pictures)
    if left_out:
        _tell_left_out(list(left_out.values()))
    code = run.read(**choices).exit_code if documents else ExitCode.FAILURE
    if code or left_out:
        sys.exit(code or ExitCode.FAILURE)


def _choose_results(
    session: Session, documents: Sequence[FoundDocument], format: str, out: Path | None, overwrite: bool, keep: bool
) -> Results:
    """Return where the results go. Raise click.UsageError for what cannot be combined."""
    if out is not None:
        return WrittenFiles(session, documents, out, format=format, overwrite=overwrite, keep=keep)
    if session.json and format != "text":
        raise click.UsageError("--json prints what was read; for files in another format, add --out DIR")
    if session.json:
        return PrintedJson(session, documents)
    if format == "text":
        return PrintedText(documents)
    if len(documents) > 1:
        raise click.UsageError(f"several documents become several {format} files; say where, with --out DIR")
    if format in BINARY_FORMATS and sys.stdout.isatty():
        raise click.UsageError(f"{format} cannot be shown in a terminal; write it to a folder with --out DIR")
    return PrintedFile(format, keep)


def _tell_left_out(files: Sequence[Path]) -> None:
    others = f" and {format_count(len(files) - 1, 'other file')} exist" if len(files) > 1 else " exists"
    click.echo(f"haleganada: {printable(str(files[0]))}{others} already; --overwrite reads again", err=True)
