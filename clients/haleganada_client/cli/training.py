"""train: one drawing, several of one label, or a folder of labelled ones."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haleganada_client.errors import HaleganadaError
from haleganada_client.types import ItemError, Lesson, Taught

from .folders import IMAGES, images_below, label_folders, label_of, request_id
from .learning import LEARNS_ALONG
from .pictures import Picture, answered, read, refused
from .session import Session, with_session

if TYPE_CHECKING:
    from haleganada_client.client import HaleganadaClient

LONGEST_WAIT_S = 60
Entry = tuple[Path, str, str] | Picture
"""A file to read, its label, and its path below the label's folder; or what cannot be read."""


@click.command("train")
@click.argument("label", required=False)
@click.argument("images", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folders named after labels."
)
@click.option("--variant-of", default="", metavar="LABEL", help="The label that this one is a form of.")
@click.option("--again", is_flag=True, help="Teach pictures even if the same files were taught before.")
@click.option(
    "--wait-learned",
    "wait_s",
    type=click.FloatRange(0, LONGEST_WAIT_S),
    is_flag=False,
    flag_value=LONGEST_WAIT_S,
    metavar="[SECONDS]",
    help=f"With one drawing: wait until the network that learns along has learned it, too. [at most "
    f"{LONGEST_WAIT_S} s; put it behind the drawing]",
)
@with_session
def train_command(
    session: Session,
    label: str | None,
    images: tuple[str, ...],
    folder: Path | None,
    variant_of: str,
    again: bool,
    wait_s: float | None,
) -> None:
    """Teach a drawing: LABEL IMAGE, - for standard input; or with --folder a folder of labelled images.

    A folder's subfolders name the labels: as text (ಅ), as code points (U+0C95_0CCD) or as a decimal code (3205).
    Folders and several images can be taught again after an interruption: no file is learned twice. Exit code 1 if
    some were refused.

    \b
    haleganada train ಅ drawing.png
    haleganada train --folder letters/
    haleganada train ಕಿ drawing.png --variant-of ಕ
    haleganada train ಅ drawing.png --wait-learned
    """
    if wait_s is not None and len(images) != 1:
        raise click.UsageError(f"--wait-learned waits for one drawing; `{session.command_line('stats')}` tells of many")
    if folder is not None and label is None:
        _train_many(session, _labelled(folder), variant_of, again)
    elif folder is None and label and len(images) == 1:
        _train_one(session, label, images[0], variant_of, wait_s)
    elif folder is None and label and images:
        _train_many(session, [(Path(image), label, Path(image).name) for image in images], variant_of, again)
    else:
        example = f"{session.command_line('train')} ಅ drawing.png"
        raise click.UsageError(f"say LABEL IMAGE, for example: {example}, or give --folder alone")


def _train_one(session: Session, label: str, image: str, variant_of: str, wait_s: float | None) -> None:
    picture = sys.stdin.buffer.read() if image == "-" else Path(image).read_bytes()
    with session.client() as client:
        taught = client.train(picture, label, variant_of=variant_of, wait_learned_s=wait_s or 0)
    text = in_words(taught)
    session.show(taught, text if wait_s is None else f"{text}\n{_waited(session, taught)}")


def _waited(session: Session, taught: Taught) -> str:
    if taught.learned:
        return f"{LEARNS_ALONG} has learned it, too"
    return f"no network that learns along has learned it yet; `{session.command_line('stats')}` tells how far it is"


def in_words(taught: Taught) -> str:
    """What a taught sample means, in one line."""
    stands_for = f" (a form of {taught.trained_as})" if taught.trained_as != taught.label else ""
    known = f"{taught.labels_known} labels, {taught.samples_total} samples known"
    return f"learned {taught.label}{stands_for} as sample {taught.sample_id}; {known}"


def _labelled(root: Path) -> list[Entry]:
    """All images below the folders of `root` that are named after labels, and what is not where it should be."""
    entries: list[Entry] = [
        refused(str(path), "lies in no folder that names its label")
        for path in sorted(root.iterdir())
        if path.suffix.lower() in IMAGES and path.is_file()
    ]
    for folder in label_folders(root):
        try:
            label = label_of(folder.name)
        except ValueError as error:
            entries.append(refused(str(folder), str(error)))
            continue
        entries += [(image, label, image.relative_to(folder).as_posix()) for image in images_below(folder)]
    if not entries:
        raise click.UsageError(f"{root} has no images in folders named after labels")
    return entries


def _train_many(session: Session, entries: Sequence[Entry], variant_of: str, again: bool) -> None:
    count: Counter[str] = Counter()
    problems: list[dict[str, str]] = []
    pictures = (entry if isinstance(entry, Picture) else read(*entry) for entry in entries)
    with session.client() as client, session.progress(len(entries), "Teaching") as progress:
        try:
            for picture, answer in answered(pictures, lambda batch: _teach(client, batch, variant_of, again)):
                if isinstance(answer, ItemError):
                    problems.append({"file": picture.name, "error": answer.message})
                else:
                    count["duplicates" if answer.duplicate else "taught"] += 1
                progress.update(1)
        except HaleganadaError as error:
            error.message += f" ({count['taught']} of {len(entries)} were learned; the same command goes on from there)"
            raise
    _show(session, count, problems)


def _teach(client: HaleganadaClient, batch: list[Picture], variant_of: str, again: bool) -> list[Taught | ItemError]:
    return client.train_batch(
        [
            Lesson(
                picture.content,
                picture.label,
                variant_of,
                "" if again else request_id(picture.inner_name, picture.content, picture.label, variant_of),
            )
            for picture in batch
        ]
    )


def _show(session: Session, count: Counter[str], problems: list[dict[str, str]]) -> None:
    result: dict[str, Any] = {"taught": count["taught"], "duplicates": count["duplicates"], "refused": problems}
    parts = [f"learned {count['taught']} drawings"]
    if count["duplicates"]:
        parts.append(f"{count['duplicates']} were taught before (--again teaches them once more)")
    if problems:
        parts.append(f"{len(problems)} refused:")
    lines = [", ".join(parts), *(f"  {problem['file']}: {problem['error']}" for problem in problems)]
    session.show(result, "\n".join(lines))
    if problems:
        sys.exit(1)
