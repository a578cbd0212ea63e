"""datasets: what models are trained and evaluated on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.files.given_labels import pack_with_labels, read_label_file
from haleganada_client.cli.files.label_folders import FOLDER_NAMES
from haleganada_client.cli.files.overwriting import overwrite_option, require_free
from haleganada_client.cli.files.paths import report_links
from haleganada_client.cli.files.png_path import PngPath
from haleganada_client.cli.formatting import format_count, format_time, printable
from haleganada_client.cli.output.dataset_report import format_dataset, format_datasets
from haleganada_client.cli.output.file_errors import name_file_in_errors
from haleganada_client.cli.session import Session, with_session
from haleganada_client.labeled.labeled_zip import name_folder
from haleganada_client.limits import (
    DEFAULT_PREVIEW_DRAWINGS,
    DEFAULT_PREVIEW_VIEWS,
    DEFAULT_SPLIT_SHARE,
    PREVIEW_DRAWINGS,
    PREVIEW_VIEWS,
    SPLIT_SHARE,
)

from .dataset_lookup import resolve_dataset
from .dataset_upload import upload_dataset

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.training.datasets import Dataset

_LINE_FORMATS = ("auto", "lines-tsv", "iam", "words", "alto", "page")
_SHARE = click.FloatRange(*SPLIT_SHARE.bounds)


@click.group("datasets", cls=DefaultGroup)
def datasets_command() -> None:
    """List data sets (ls, the default), add, show, preview or delete one."""


def _import_options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = [
        click.option("--name", default="", help="The data set's name. [default: the file's name]"),
        click.option(
            "--split",
            default="auto",
            show_default=True,
            type=click.Choice(["auto", "stratified", "writer"]),
            help="How to split drawings that are in no part: with the same shares of every label, or by writer.",
        ),
        click.option(
            "--validation",
            type=_SHARE,
            metavar="SHARE",
            help=f"The validation part's share. [default: {DEFAULT_SPLIT_SHARE}]",
        ),
        click.option(
            "--test", type=_SHARE, metavar="SHARE", help=f"The test part's share. [default: {DEFAULT_SPLIT_SHARE}]"
        ),
        click.option("--seed", default=0, show_default=True, help="The random seed of the split."),
        click.option(
            "--orientation",
            default="auto",
            show_default=True,
            type=click.Choice(["auto", "upright", "transposed"]),
            help="The orientation of IDX images; EMNIST's are transposed.",
        ),
        click.option(
            "--folder-names",
            default="auto",
            show_default=True,
            type=click.Choice(FOLDER_NAMES),
            help="How to read folders that are named by numbers, such as 65.",
        ),
        click.option(
            "--small-letters",
            is_flag=True,
            help="Where a capital and a small letter of IDX files share a number, use the small letter as the label: "
            "EMNIST's letters become a to z.",
        ),
        click.option(
            "--unknown",
            "unknown_folder",
            default="",
            metavar="FOLDER",
            help="The folder of drawings that have none of the labels, from which models learn what to call unknown. "
            "[default: 999, if there is one]",
        ),
        click.option(
            "--format",
            "line_format",
            default="auto",
            show_default=True,
            type=click.Choice(_LINE_FORMATS),
            help="How lines with their texts are laid out; auto also finds drawings.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@datasets_command.command("add")
@click.argument("path")
@click.option("--on-server", is_flag=True, help="PATH is on the server's disk, in its --datasets-from folder.")
@click.option(
    "--labels",
    "label_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="LABELS",
    help="A CSV or JSON lines file with the path and the label of each picture, instead of folder names.",
)
@_import_options
@with_session
def add_dataset(
    session: Session,
    path: str,
    on_server: bool,
    label_file: Path | None,
    name: str,
    split: str,
    validation: float | None,
    test: float | None,
    seed: int,
    orientation: str,
    folder_names: str,
    small_letters: bool,
    unknown_folder: str,
    line_format: str,
) -> None:
    """Add a data set from PATH.

    PATH is a folder or a .zip of labeled images or IDX files (MNIST), a .npz with arrays x and y, or a file that
    `haleganada export` wrote (archive or jsonl). Or it is a folder or a .zip of lines with their texts: lines.tsv, the
    IAM database's lines.txt or words.txt, ALTO or PAGE XML beside the pages' pictures; docs/using/lines.md tells more.

    Folders are named by a label (ಅ), its code points (U+0C95_0CCD) or, where all are letters, decimal codes
    (3205). They may lie in folders
    train/, validation/ and test/. A file class_mapping.json above them, {"folder": "label"}, takes precedence over
    their names.

    Drawings that are in no part are split by writer if file names tell the writer (w012_1.png), otherwise with the same
    shares of every label. Symbolic links are skipped. An interrupted upload resumes when you repeat the command. The
    exit code is 1 if drawings were refused.

    \b
    haleganada datasets add letters/
    haleganada datasets add mnist.zip --name MNIST
    haleganada export taught.zip && haleganada datasets add taught.zip
    haleganada datasets add lines/ --format lines-tsv
    """
    options: dict[str, Any] = {"name": name, "split": split, "validation_share": validation, "test_share": test}
    options |= {"seed": seed, "orientation": orientation, "folder_names": folder_names, "small_letters": small_letters}
    options["line_format"] = line_format
    options["unknown_folder"] = name_folder(unknown_folder) if unknown_folder and label_file else unknown_folder
    if not on_server and not Path(path).exists():
        raise click.UsageError(f"there is no {path} on this machine; with --on-server, the server looks for it")
    if on_server and label_file:
        raise click.UsageError("--labels names pictures on this machine; leave out --on-server")
    with session.client() as client, name_file_in_errors(Path(path).name or Path(path).resolve().name or path):
        if on_server:
            dataset = client.datasets.add(path, **options)
        elif label_file:
            options["name"] = name or Path(path).resolve().stem
            with pack_with_labels(Path(path), read_label_file(label_file)) as packed:
                dataset = upload_dataset(session, client, str(packed), options)
        else:
            report_links(Path(path))
            dataset = upload_dataset(session, client, path, options)
        _report_same_content(session, client, dataset)
    session.show(dataset, format_dataset(dataset))
    if dataset.refused_total:
        sys.exit(ExitCode.FAILURE)


def _report_same_content(session: Session, client: HaleganadaClient, dataset: Dataset) -> None:
    """Say on stderr if another data set has exactly the same content."""
    for other in client.datasets.list():
        if other.sha256 == dataset.sha256 and other.dataset_id != dataset.dataset_id:
            delete = session.command_line("datasets", "delete", dataset.dataset_id)
            twin = f"{printable(other.name)} ({other.dataset_id}, of {format_time(other.create_time)})"
            click.echo(f"{twin} has the same content; `{delete}` deletes the new data set", err=True)
            return


@datasets_command.command("ls")
@with_session
def list_datasets(session: Session) -> None:
    """List data sets, newest first."""
    with session.client() as client:
        datasets = client.datasets.list()
    session.show(datasets, format_datasets(datasets))


@datasets_command.command("show")
@click.argument("dataset")
@click.option("--all", "show_all", is_flag=True, help="List every label, and every item that was left out.")
@with_session
def show_dataset(session: Session, dataset: str, show_all: bool) -> None:
    """Show DATASET, given by its id or unique name. The report lists its labels, and what was left out or refused."""
    with session.client() as client:
        found = client.datasets.get(dataset)
    session.show(found, format_dataset(found, show_all))


@datasets_command.command("delete")
@click.argument("dataset")
@click.option("--confirm", metavar="NAME", help="The data set's name again, to confirm without being asked.")
@with_session
def delete_dataset(session: Session, dataset: str, confirm: str | None) -> None:
    """Delete DATASET permanently. Models that were trained on it stay."""
    with session.client() as client:
        found = client.datasets.get(dataset)
        name = printable(found.name)
        question = f"This deletes the data set permanently. Type its name, {name}, to continue"
        if (confirm or session.ask(question)) != found.name:
            raise click.UsageError("that is not the data set's name; nothing was deleted")
        client.datasets.delete(found.dataset_id)
    session.show({"deleted": found.dataset_id}, f"deleted {name} ({found.dataset_id})")


@datasets_command.command("preview")
@click.argument("dataset")
@click.argument("preset")
@click.argument("file", type=PngPath(), metavar="FILE.png")
@click.option(
    "--drawings",
    default=DEFAULT_PREVIEW_DRAWINGS,
    show_default=True,
    type=click.IntRange(*PREVIEW_DRAWINGS.bounds),
    help="The number of rows.",
)
@click.option(
    "--views",
    default=DEFAULT_PREVIEW_VIEWS,
    show_default=True,
    type=click.IntRange(*PREVIEW_VIEWS.bounds),
    help="The augmented views of each drawing.",
)
@click.option("--seed", default=0, show_default=True, help="The random seed of the choice and the augmentation.")
@overwrite_option
@with_session
def preview_dataset(
    session: Session, dataset: str, preset: str, file: Path, drawings: int, views: int, seed: int, overwrite: bool
) -> None:
    """Preview training images. The PNG shows drawings of DATASET as the network of PRESET gets them, augmented."""
    require_free(file, overwrite)
    with session.client() as client:
        found = client.datasets.get(resolve_dataset(client, dataset))
        preview = client.datasets.preview(found.dataset_id, preset, drawings=drawings, views=views, seed=seed)
    file.write_bytes(preview.sheet)
    side = preview.input_size_px
    if found.kind == "lines":
        content = f"{format_count(len(preview.labels), 'line')}, {side} px high"
    else:
        content = f"{' '.join(preview.labels)}, {side} x {side} px each"
    session.show(
        {"file": str(file), "labels": preview.labels, "input_size_px": side},
        f"wrote {printable(str(file))}: {content}",
    )
