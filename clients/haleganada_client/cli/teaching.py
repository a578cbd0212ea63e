"""train, correct, link, unlink, relabel, forget, undo."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click

from haleganada_client.client import HaleganadaClient
from haleganada_client.types import ItemError, Taught

from .folders import labelled_images, request_id
from .session import Session, with_session

_BATCH = 64


@click.command("train")
@click.argument("label", required=False)
@click.argument("image", required=False, type=click.Path(allow_dash=True))
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folders named after labels."
)
@click.option("--variant-of", default="", metavar="LABEL", help="The label that this one is a form of.")
@with_session
def train_command(session: Session, label: str | None, image: str | None, folder: Path | None, variant_of: str) -> None:
    """Teach one drawing (LABEL IMAGE, - for standard input), or with --folder a folder of labelled images.

    A folder's subfolders name the labels: as text (ಅ), as code points (U+0C95_0CCD) or as a decimal code (65). It
    can be taught again after an interruption: no picture is learned twice.
    """
    with session.client() as client:
        if folder is not None:
            _train_folder(session, client, folder, variant_of)
        elif label and image:
            picture = sys.stdin.buffer.read() if image == "-" else Path(image).read_bytes()
            taught = client.train(picture, label, variant_of=variant_of)
            session.show(taught, _describe(taught))
        else:
            raise click.UsageError("say LABEL IMAGE, for example: haleganada train ಅ drawing.png, or give --folder")


def _describe(taught: Taught) -> str:
    stands_for = f" (a form of {taught.trained_as})" if taught.trained_as != taught.label else ""
    known = f"{taught.labels_known} labels, {taught.samples_total} samples known"
    return f"learned {taught.label}{stands_for} as sample {taught.sample_id}; {known}"


def _train_folder(session: Session, client: HaleganadaClient, folder: Path, variant_of: str) -> None:
    images = list(labelled_images(folder))
    if not images:
        raise click.UsageError(f"{folder} has no images in folders named after labels")
    taught, duplicates, refused = 0, 0, []
    with click.progressbar(length=len(images), label="Teaching", file=sys.stderr) as progress:
        for batch in _batches(iter(images)):
            for (path, _), outcome in zip(batch, _train_batch(client, batch, variant_of), strict=True):
                if isinstance(outcome, ItemError):
                    refused.append({"file": str(path), "error": outcome.message})
                elif outcome.duplicate:
                    duplicates += 1
                else:
                    taught += 1
            progress.update(len(batch))
    lines = [f"learned {taught} drawings, {duplicates} were known before, {len(refused)} refused"]
    lines += [f"  {item['file']}: {item['error']}" for item in refused]
    session.show({"taught": taught, "duplicates": duplicates, "refused": refused}, "\n".join(lines))
    if refused:
        sys.exit(1)


def _batches(images: Iterator[tuple[Path, str]]) -> Iterator[list[tuple[Path, str]]]:
    while batch := list(islice(images, _BATCH)):
        yield batch


def _train_batch(client: HaleganadaClient, batch: list[tuple[Path, str]], variant_of: str) -> list[Any]:
    contents = [(path.read_bytes(), label) for path, label in batch]
    return client.train_batch([(data, label, variant_of, request_id(data, label)) for data, label in contents])


@click.command("correct")
@click.argument("prediction_id")
@click.argument("label")
@click.option("--variant-of", default="", metavar="LABEL", help="The label that this one is a form of.")
@with_session
def correct_command(session: Session, prediction_id: str, label: str, variant_of: str) -> None:
    """Teach the drawing of an earlier prediction (predict --json shows its id) with its right LABEL."""
    with session.client() as client:
        done = client.correct(prediction_id, label, variant_of=variant_of)
        session.show(done, f"{_describe(done.taught)}; it had been taken for {done.predicted or 'unknown'}")


@click.command("link")
@click.argument("form")
@click.argument("canonical")
@with_session
def link_command(session: Session, form: str, canonical: str) -> None:
    """Let FORM stand for CANONICAL from now on."""
    with session.client() as client:
        linked = client.link_variants(form, canonical)
        session.show(linked, f"{linked.canonical} now has the forms {', '.join(linked.forms)}")


@click.command("unlink")
@click.argument("form")
@with_session
def unlink_command(session: Session, form: str) -> None:
    """Let FORM stand for itself again."""
    with session.client() as client:
        parted = client.unlink_variants(form)
        session.show(parted, f"{form} is no longer a form of {parted.former_canonical}")


@click.command("relabel")
@click.argument("sample_id", type=int)
@click.argument("label")
@with_session
def relabel_command(session: Session, sample_id: int, label: str) -> None:
    """Give sample SAMPLE_ID another LABEL."""
    with session.client() as client:
        sample = client.relabel(sample_id, label)
        session.show(sample, f"sample {sample.sample_id} is now {sample.label}")


@click.command("forget")
@click.argument("sample_id", type=int)
@with_session
def forget_command(session: Session, sample_id: int) -> None:
    """Forget sample SAMPLE_ID. `haleganada undo` brings it back."""
    with session.client() as client:
        revision = client.forget(sample_id)
        session.show({"revision": revision}, f"forgot sample {sample_id}; `haleganada undo` brings it back")


@click.command("undo")
@with_session
def undo_command(session: Session) -> None:
    """Take the last change back. Can be repeated."""
    with session.client() as client:
        undone = client.undo()
        subject = f" of sample {undone.sample_id}" if undone.sample_id else ""
        session.show(undone, f"took back: {undone.kind} {undone.label}{subject}")
