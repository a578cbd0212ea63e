"""export and import."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from haleganada_client.cli.layout import counted, size
from haleganada_client.cli.session import Session, as_json, with_session
from haleganada_client.cli.text.file_errors import said_of, why
from haleganada_client.cli.text.online_learning import not_learned
from haleganada_client.types import ImportReport

_KINDS = """\b
archive  everything; another server gives identical predictions from it
jsonl    one JSON object a line for each sample
folder   a zip with a folder of PNG images for each label"""


@click.command(
    "export",
    help=f"Write everything that was taught to FILE, - for standard output.\n\n{_KINDS}\n"
    "seed     a zip with training_log.json, training_summary.json and training_images/",
)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--format", "form", default="archive", show_default=True, type=click.Choice(["archive", "seed", "jsonl", "folder"])
)
@with_session
def export_command(session: Session, file: Path, form: str) -> None:
    """The file appears only once it is complete and its checksum is right."""
    to_stdout = str(file) == "-"
    with session.client() as client:
        done = client.export(sys.stdout.buffer if to_stdout else file, form, progress=_counter())
    where = "standard output" if to_stdout else file
    text = f"wrote {counted(done.samples_total, 'sample')} to {where} ({size(done.size_bytes)})"
    if to_stdout:
        click.echo(as_json(done) if session.json else text, err=True)
    else:
        session.show(done, text)


def _counter() -> Callable[[int], None]:
    """Shows the bytes so far on one line of stderr where a person watches: how many there will be is not known."""
    shown = 0

    def count(so_far: int) -> None:
        nonlocal shown
        if so_far - shown >= 1_000_000 and sys.stderr.isatty():
            shown = so_far
            click.echo(f"\r{size(so_far)} ", err=True, nl=False)

    return count


@click.command(
    "import",
    help=f"Teach everything in FILE, - for standard input; what was imported before is left out.\n\n{_KINDS}\n\n"
    "Folders may be named by text (ಅ), code points (U+0C95_0CCD) or a decimal code (3205).",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["archive", "jsonl", "folder"]), help="[default: found out from it]"
)
@with_session
def import_command(session: Session, file: Path, form: str | None) -> None:
    with (
        session.client() as client,
        said_of("standard input" if str(file) == "-" else file.name),
        _opened(file) as source,
        session.progress(os.fstat(source.fileno()).st_size, "Sending") as progress,
    ):
        report = client.import_file(source, form or "", progress=lambda sent: progress.update(sent - progress.pos))
        unlearned = not_learned(session, client) if report.imported else []
    session.show(report, "\n".join([_in_words(session, report), *unlearned]))
    if report.refused_total:
        sys.exit(1)


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """The file; of standard input a copy that is gone afterwards: a call's deadline begins once all of it is here."""
    if str(file) != "-":
        with file.open("rb") as source:
            yield source
        return
    with tempfile.TemporaryFile(prefix="haleganada-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.seek(0)
        yield copy


def _in_words(session: Session, report: ImportReport) -> str:
    learned = counted(report.imported, "sample")
    lines = [f"learned {learned}, {report.duplicates:,} known before, {report.refused_total:,} refused"]
    lines += [f"  {refused.item}: {why(refused.error)}" for refused in report.refused]
    if report.before:
        lines.append(f"`{session.command_line('restore', report.before.snapshot_id)}` goes back")
    return "\n".join(lines)
