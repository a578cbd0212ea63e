"""datasets: what models are trained and measured on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.files.dataset_lookup import dataset_named
from haleganada_client.cli.files.paths import tell_of_links
from haleganada_client.cli.files.png_file import PngFile
from haleganada_client.cli.layout import bar, counted, moment, printable, size, table
from haleganada_client.cli.session import Session, with_session
from haleganada_client.cli.text.file_errors import said_of
from haleganada_client.limits import (
    DEFAULT_PREVIEW_DRAWINGS,
    DEFAULT_PREVIEW_VIEWS,
    PREVIEW_DRAWINGS,
    PREVIEW_VIEWS,
    SPLIT_SHARE,
)

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.datasets import Dataset, DatasetLabel, RepeatedItem

_LABELS_SHOWN = 40
_ITEMS_SHOWN = 20
_LEAKED = "left out, because the same image is in a later part, too"
_TWICE = "left out, because the same image is there twice"
_share = click.FloatRange(*SPLIT_SHARE.bounds)


@click.group("datasets", cls=DefaultGroup)
def datasets_command() -> None:
    """List data sets (ls, also without the word), add one, look at one, or delete it."""


def _reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = [
        click.option("--name", default="", help="What to call it. [default: the file's name]"),
        click.option("--split", default="auto", show_default=True, type=click.Choice(["auto", "stratified", "writer"])),
        click.option("--validation", type=_share, metavar="SHARE", help="Share for validation. [default: 0.15]"),
        click.option("--test", type=_share, metavar="SHARE", help="Share for the test. [default: 0.15]"),
        click.option("--seed", default=0, show_default=True, help="Of the split."),
        click.option(
            "--orientation",
            default="auto",
            show_default=True,
            type=click.Choice(["auto", "upright", "transposed"]),
            help="Of IDX images; EMNIST's are transposed.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@datasets_command.command("add")
@click.argument("path")
@click.option("--on-server", is_flag=True, help="PATH is on the server's disk, below its --datasets-from.")
@_reading_options
@with_session
def add_dataset(
    session: Session,
    path: str,
    on_server: bool,
    name: str,
    split: str,
    validation: float | None,
    test: float | None,
    seed: int,
    orientation: str,
) -> None:
    """Upload PATH: a folder or a .zip of labeled images or IDX files (MNIST), a .npz with arrays x and y, or what
    `haleganada export` wrote: an archive or a .jsonl.

    Folders name the labels, as text (ಅ), as code points (U+0C95_0CCD) or as a decimal code (3205), below train/,
    validation/ and test/ or without them; a class_mapping.json above them, {"folder": "label"}, wins over their names.
    What has no part is split by writer where names tell them (w012_1.png), else the same share of every label. Links
    in a folder are skipped. An upload that broke off goes on where it was. Exit code 1 if some were refused.

    \b
    haleganada datasets add letters/
    haleganada datasets add mnist.zip --name MNIST
    haleganada export taught.zip && haleganada datasets add taught.zip
    """
    options: dict[str, Any] = {"name": name, "split": split, "validation_share": validation, "test_share": test}
    options |= {"seed": seed, "orientation": orientation}
    if not on_server and not Path(path).exists():
        raise click.UsageError(f"there is no {path} here; with --on-server it is looked for on the server")
    with session.client() as client, said_of(Path(path).name or Path(path).resolve().name or path):
        if on_server:
            made = client.datasets.add(path, **options)
        else:
            tell_of_links(Path(path))
            made = _upload(session, client.datasets.upload, path, options)
        _tell_of_the_same(session, client, made)
    session.show(made, _in_words(made))
    if made.refused_total:
        sys.exit(1)


def _tell_of_the_same(session: Session, client: HaleganadaClient, made: Dataset) -> None:
    """On stderr, where another data set holds exactly what this one does."""
    for other in client.datasets.list():
        if other.sha256 == made.sha256 and other.dataset_id != made.dataset_id:
            delete = session.command_line("datasets", "delete", made.dataset_id)
            there = f"{printable(other.name)} ({other.dataset_id}, of {moment(other.create_time)})"
            click.echo(f"the same is there already, as {there}; `{delete}` deletes the new one", err=True)
            return


def _upload(session: Session, upload: Callable[..., Dataset], path: str, options: dict[str, Any]) -> Dataset:
    with session.progress(0, "Sending") as progress:

        def show(sent: int, total: int) -> None:
            progress.length = total
            progress.update(sent - progress.pos)
            if sent == total and sys.stderr.isatty():
                click.echo("\nThe server reads the drawings; a million of them takes a quarter of an hour.", err=True)

        return upload(path, on_progress=show, **options)


@datasets_command.command("ls")
@with_session
def list_datasets(session: Session) -> None:
    """List data sets, the newest first."""
    with session.client() as client:
        found = client.datasets.list()
    header = ["id", "name", "labels", "train", "validation", "test", "writers", "refused", "on disk", "made"]
    rows = [_row(dataset) for dataset in found]
    text = table(rows, header, right={2, 3, 4, 5, 6, 7, 8}) if found else "no data sets"
    session.show(found, text)


@datasets_command.command("show")
@click.argument("dataset")
@click.option("--all", "everything", is_flag=True, help="Every label and every item that was left out.")
@with_session
def show_dataset(session: Session, dataset: str, everything: bool) -> None:
    """Tell all of DATASET, its id or its unique name: how many drawings of each label, and what was refused."""
    with session.client() as client:
        found = client.datasets.get(dataset)
    session.show(found, _in_words(found, everything))


@datasets_command.command("delete")
@click.argument("dataset")
@click.option("--confirm", metavar="NAME", help="The data set's name again, instead of being asked for it.")
@with_session
def delete_dataset(session: Session, dataset: str, confirm: str | None) -> None:
    """Delete DATASET for good. Models that were trained on it stay."""
    with session.client() as client:
        found = client.datasets.get(dataset)
        question = f"This deletes the data set for good. Type its name, {printable(found.name)}, to go on"
        if (confirm or session.ask(question)) != found.name:
            raise click.UsageError("that is not the data set's name; nothing was deleted")
        client.datasets.delete(found.dataset_id)
    session.show({"deleted": found.dataset_id}, f"deleted {printable(found.name)} ({found.dataset_id})")


@datasets_command.command("preview")
@click.argument("dataset")
@click.argument("preset")
@click.argument("file", type=PngFile(), metavar="FILE.png")
@click.option(
    "--drawings",
    default=DEFAULT_PREVIEW_DRAWINGS,
    show_default=True,
    type=click.IntRange(*PREVIEW_DRAWINGS.bounds),
    help="Rows.",
)
@click.option(
    "--views",
    default=DEFAULT_PREVIEW_VIEWS,
    show_default=True,
    type=click.IntRange(*PREVIEW_VIEWS.bounds),
    help="Augmented ones of each.",
)
@click.option("--seed", default=0, show_default=True, help="Of the choice and the augmentation.")
@with_session
def preview_dataset(
    session: Session, dataset: str, preset: str, file: Path, drawings: int, views: int, seed: int
) -> None:
    """Write a PNG of drawings of DATASET as the network of PRESET receives them in training, augmented."""
    with session.client() as client:
        named = dataset_named(client, dataset)
        preview = client.datasets.preview(named, preset, drawings=drawings, views=views, seed=seed)
    file.write_bytes(preview.sheet)
    side = preview.input_size_px
    session.show(
        {"file": str(file), "labels": preview.labels, "input_size_px": side},
        f"wrote {printable(str(file))}: {' '.join(preview.labels)}, {side} x {side} px each",
    )


def _row(dataset: Dataset) -> list[str]:
    counts = [dataset.labels_total, dataset.train, dataset.validation, dataset.test, dataset.writers]
    numbers = [f"{count:,}" for count in (*counts, dataset.refused_total)]
    return [dataset.dataset_id, dataset.name, *numbers, size(dataset.size_bytes), moment(dataset.create_time)]


def _in_words(dataset: Dataset, everything: bool = False) -> str:
    facts = [
        ["id", dataset.dataset_id],
        ["name", dataset.name],
        ["to train on", f"{dataset.train:,}"],
        ["validation", f"{dataset.validation:,}"],
        ["test", f"{dataset.test:,}"],
        ["labels", f"{dataset.labels_total:,}"],
        ["imbalance", _imbalance(dataset)],
        ["writers", f"{dataset.writers:,}" if dataset.writers else "not known"],
        ["left out", f"{dataset.duplicates:,} found twice, {dataset.leaks:,} that a later part has, too"],
        ["on disk", size(dataset.size_bytes)],
        ["SHA-256", dataset.sha256],
    ]
    notes = [f"to know: {printable(note.message)}" for note in dataset.notes]
    sections = [table(facts), *notes, _balance(dataset.labels, everything)]
    if dataset.leaks:
        sections.append(_left_out(_LEAKED, dataset.leaked, dataset.leaks, everything))
    if dataset.duplicated:  # data sets from before they were named only tell how many there are
        sections.append(_left_out(_TWICE, dataset.duplicated, dataset.duplicates, everything))
    if dataset.refused_total:
        sections.append(_refused(dataset, everything))
    return "\n\n".join(sections)


def _imbalance(dataset: Dataset) -> str:
    """Of the part to train on, which alone it matters for."""
    if not dataset.imbalance:
        return "-"
    if dataset.imbalance == 1:
        return "none, as many drawings of each label to train on"
    return f"the largest label has {dataset.imbalance:.3g} times as many drawings to train on as the smallest"


def _balance(labels: Sequence[DatasetLabel], everything: bool) -> str:
    """The labels, the rarest first: those are the ones to do something about."""
    rarest = sorted(labels, key=lambda label: label.train)
    shown = rarest if everything else rarest[:_LABELS_SHOWN]
    most = max((label.train for label in labels), default=0) or 1
    rows = [
        [label.label, f"{label.train:,}", f"{label.validation:,}", f"{label.test:,}", bar(label.train / most)]
        for label in shown
    ]
    text = table(rows, ["label", "train", "validation", "test", ""], right={1, 2, 3})
    left = len(labels) - len(shown)
    return f"{text}\nand {counted(left, 'label')} with more (--all lists them)" if left else text


def _left_out(title: str, items: Sequence[RepeatedItem], total: int, everything: bool) -> str:
    """Where the names do not tell the parts, the parts are told."""
    lines = [f"{_placed(one.item, one.part)}: {_placed(one.kept, one.kept_part)} is kept" for one in items]
    return _listed(title, lines, total, everything)


def _placed(item: str, part: str) -> str:
    return f"{printable(item)} ({part})" if part and not item.startswith(f"{part}/") else printable(item)


def _refused(dataset: Dataset, everything: bool) -> str:
    lines = [f"{printable(item.item)}: {printable(item.error.message)}" for item in dataset.refused]
    return _listed("refused", lines, dataset.refused_total, everything)


def _listed(title: str, lines: Sequence[str], total: int, everything: bool) -> str:
    """`total` items, of which the first thousand are known by line."""
    shown = lines if everything else lines[:_ITEMS_SHOWN]
    left = total - len(shown)
    more = [f"and {left:,} more" + ("" if everything else " (--all lists a thousand)")] if left else []
    return "\n  ".join([f"{total:,} {title}:", *shown, *more])
