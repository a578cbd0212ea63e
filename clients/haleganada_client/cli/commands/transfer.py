"""export and import."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

import click

from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.files.given_labels import pack_with_labels, read_label_file
from haleganada_client.cli.files.label_folders import FOLDER_NAMES
from haleganada_client.cli.files.overwriting import overwrite_option, require_free
from haleganada_client.cli.formatting import format_count, format_size, printable
from haleganada_client.cli.output.file_errors import describe_file_error, name_file_in_errors
from haleganada_client.cli.output.online_learning import warn_if_not_learned
from haleganada_client.cli.output.refusals import group_refused
from haleganada_client.cli.session import Session, say_if_stopped, to_json, with_session
from haleganada_client.cli.setting_names import name_options
from haleganada_client.cli.snapshot_lookup import resolve_snapshot
from haleganada_client.types import ImportReport

_FORMATS = """\b
archive  everything; another server will give identical predictions
jsonl    one line of JSON for each sample
folder   a zip with a folder of PNG images for each label"""


@click.command(
    "export",
    help=f"Export everything that was taught to FILE, or to standard output if FILE is -.\n\n{_FORMATS}\n"
    "seed     a zip with training_log.json, training_summary.json and training_images/\n\n"
    "FILE appears only when it is complete and its checksum is verified.",
)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--format",
    default="archive",
    show_default=True,
    type=click.Choice(["archive", "seed", "jsonl", "folder"]),
    help="What to write.",
)
@click.option(
    "--snapshot",
    default="",
    metavar="SNAPSHOT",
    help="Export this snapshot, given by its id or name, instead of the present state.",
)
@overwrite_option
@with_session
def export_command(session: Session, file: Path, format: str, snapshot: str, overwrite: bool) -> None:
    require_free(file, overwrite)
    to_stdout = str(file) == "-"
    with (
        session.client() as client,
        say_if_stopped(lambda: "nothing was written" if not to_stdout else "it is cut off"),
    ):
        snapshot_id = resolve_snapshot(client, snapshot) if snapshot else ""
        exported = client.export(
            sys.stdout.buffer if to_stdout else file, format, snapshot_id=snapshot_id, progress=_byte_counter()
        )
    target = "standard output" if to_stdout else file
    text = f"wrote {format_count(exported.samples_total, 'sample')} to {target} ({format_size(exported.size_bytes)})"
    if to_stdout:
        click.echo(to_json(exported) if session.json else text, err=True)
    else:
        session.show(exported, text)


def _byte_counter() -> Callable[[int], None]:
    """Return a callback that shows the bytes received so far on stderr, if that is a terminal. The total is unknown."""
    shown = 0

    def count(received: int) -> None:
        nonlocal shown
        if received - shown >= 1_000_000 and sys.stderr.isatty():
            shown = received
            click.echo(f"\r{format_size(received)} ", err=True, nl=False)

    return count


@click.command(
    "import",
    help="Import samples from FILE, or from standard input if FILE is -. Samples that the workspace already has are "
    f"skipped.\n\n{_FORMATS}\n\n"
    "Folders may be named by a label (ಅ), its code points (U+0C95_0CCD) or, where all are letters, decimal codes "
    "(3205). The exit code is 1 if samples were refused.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--format",
    type=click.Choice(["archive", "jsonl", "folder"]),
    help="What FILE is. [default: detected from the file]",
)
@click.option(
    "--folder-names",
    default="auto",
    show_default=True,
    type=click.Choice(FOLDER_NAMES),
    help="How to read folders that are named by numbers, such as 65.",
)
@click.option(
    "--labels",
    "label_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="LABELS",
    help="A CSV or JSON lines file with the path and the label of each picture, instead of folder names.",
)
@with_session
def import_command(
    session: Session, file: Path, format: str | None, folder_names: str, label_file: Path | None
) -> None:
    with (
        session.client() as client,
        say_if_stopped(
            lambda: "what arrived before its end is not taught; import it again, which teaches nothing twice"
        ),
        name_file_in_errors("standard input" if str(file) == "-" else file.name),
        pack_with_labels(file, read_label_file(label_file)) if label_file else nullcontext(file) as packed,
        _open(packed) as source,
        session.progress(os.fstat(source.fileno()).st_size, "Uploading") as progress,
    ):
        report = client.import_file(
            source,
            format or "",
            folder_names=folder_names,
            progress=lambda sent: progress.update(sent - progress.pos),
        )
        warning = warn_if_not_learned(session, client) if report.imported else []
    session.show(report, "\n".join([_format_report(session, report), *warning]))
    if report.refused_total:
        sys.exit(ExitCode.FAILURE)


@contextmanager
def _open(file: Path) -> Iterator[BinaryIO]:
    """Open the file, or a temporary copy of standard input. Its end must be here before the call's deadline starts."""
    if str(file) != "-":
        with file.open("rb") as source:
            yield source
        return
    with tempfile.TemporaryFile(prefix="haleganada-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.seek(0)
        yield copy


def _format_report(session: Session, report: ImportReport) -> str:
    imported = format_count(report.imported, "sample")
    lines = [f"imported {imported}, {report.duplicates:,} already known, {report.refused_total:,} refused"]
    lines += [f"note: {printable(name_options(note))}" for note in report.notes]
    refused = ((item.item, describe_file_error(item.error)) for item in report.refused)
    lines += [f"  {line}" for line in group_refused(refused)]
    if report.before:
        restore = session.command_line("restore", report.before.snapshot_id)
        lines.append(f"`{restore}` restores the workspace as it was before")
    return "\n".join(lines)
