"""train: teach one drawing, several drawings of one label, or a folder of labeled ones."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.files.label_folders import (
    IMAGE_SUFFIXES,
    derive_request_id,
    iter_images,
    label_of_folder,
    list_label_folders,
)
from haleganada_client.cli.files.paths import expand_path, report_other_files
from haleganada_client.cli.files.pictures import Picture, load_picture, refuse_picture, send_in_batches
from haleganada_client.cli.formatting import format_count, printable
from haleganada_client.cli.output.file_errors import describe_item_error
from haleganada_client.cli.output.online_learning import describe_wait, warn_if_not_learned
from haleganada_client.cli.output.taught_sample import describe_taught
from haleganada_client.cli.session import Session, with_session
from haleganada_client.errors import HaleganadaError
from haleganada_client.limits import WAIT_LEARNED_MS
from haleganada_client.types import ItemError, Lesson, Taught

if TYPE_CHECKING:
    from haleganada_client.client import HaleganadaClient

MAX_WAIT_S = WAIT_LEARNED_MS.maximum // 1000
Entry = tuple[Path, str, str] | Picture
"""A file to load, its label, and its path below the label's folder; or a Picture that is refused already."""


@click.command("train")
@click.argument("label", required=False)
@click.argument("images", nargs=-1, type=click.Path(allow_dash=True))
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Teach all images in this folder's subfolders, which are named after their labels.",
)
@click.option("--variant-of", default="", metavar="LABEL", help="The label that this one is a form of.")
@click.option("--again", is_flag=True, help="Teach images again that were taught before.")
@click.option(
    "--wait-learned",
    "wait_s",
    type=click.FloatRange(0, MAX_WAIT_S),
    is_flag=False,
    flag_value=MAX_WAIT_S,
    metavar="[SECONDS]",
    help="Wait until the online network has learned the drawing, too. Only for one drawing; give this option last. "
    f"[default: {MAX_WAIT_S}]",
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
    """Teach drawings: LABEL and one or more IMAGES, or with --folder a folder of labeled images.

    An image may be a file, a pattern such as 'page/*.png', or - for standard input. Subfolders may be named by a label
    (ಅ), its code points (U+0C95_0CCD) or a decimal code (3205).

    Several images, and folders, are taught once: after an interruption, repeat the command. A single image is taught
    each time. The exit code is 1 if images were refused.

    \b
    haleganada train ಅ drawing.png
    haleganada train --folder letters/
    haleganada train ಕಿ drawing.png --variant-of ಕ
    haleganada train ಅ drawing.png --wait-learned
    """
    if wait_s is not None and len(images) != 1:
        _refuse_to_wait(session)
    if folder is not None and label is None:
        entries = _list_labeled_images(session, folder)
    elif folder is None and label and images:
        entries = _list_images_of_label(session, label, images)
    else:
        example = f"{session.command_line('train')} ಅ drawing.png"
        raise click.UsageError(f"give LABEL and IMAGE, for example {example}, or only --folder")
    if label and len(images) == 1 and (images[0] == "-" or Path(images[0]).is_file()):
        _train_one(session, label, images[0], variant_of, wait_s)
    elif wait_s is not None:
        _refuse_to_wait(session)
    else:
        _train_many(session, entries, variant_of, again)


def _refuse_to_wait(session: Session) -> NoReturn:
    stats = session.command_line("stats")
    raise click.UsageError(f"--wait-learned works with one drawing; for several, `{stats}` shows the progress")


def _train_one(session: Session, label: str, image: str, variant_of: str, wait_s: float | None) -> None:
    picture = sys.stdin.buffer.read() if image == "-" else Path(image).read_bytes()
    with session.client() as client:
        taught = client.train(picture, label, variant_of=variant_of, wait_learned_s=wait_s or 0)
        warning = warn_if_not_learned(session, client)
        waited = [] if wait_s is None or warning else describe_wait(session, client, taught)
    session.show(taught, "\n".join([describe_taught(taught), *waited, *warning]))


def _list_images_of_label(session: Session, label: str, images: Sequence[str]) -> list[Entry]:
    """Return the files that the arguments name. Raise click.UsageError for folders, and for names without a file."""
    paths = [path for name in images for path in expand_path(name)]
    for path in paths:
        if path.is_dir():
            files = session.command_line("train", label, str(path / "*.png"))
            raise click.UsageError(
                f"{printable(str(path))} is a folder; name its files, for example with `{files}`, or give the folder "
                "above it with --folder if its subfolders are named after labels"
            )
    return [(path, label, path.name) for path in paths]


def _list_labeled_images(session: Session, root: Path) -> list[Entry]:
    """Return all images in the label folders of `root`, and refuse those outside. Raise click.UsageError if none is in
    one.
    """
    loose = [path for path in sorted(root.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]
    report_other_files([root])
    entries = _list_images_in_label_folders(root)
    if not entries and loose:
        files = session.command_line("train", "LABEL", str(root / f"*{loose[0].suffix}"))
        raise click.UsageError(
            f"{printable(str(root))} has no subfolders named after labels; give the folder above it, or teach its "
            f"images as one label with `{files}`"
        )
    if not entries:
        raise click.UsageError(f"{printable(str(root))} has no images in subfolders named after labels")
    return [
        *(refuse_picture(str(path), "is not in a folder named after its label; move it into one") for path in loose),
        *entries,
    ]


def _list_images_in_label_folders(root: Path) -> list[Entry]:
    entries: list[Entry] = []
    for folder in list_label_folders(root):
        try:
            label = label_of_folder(root, folder)
        except ValueError as error:
            entries.append(refuse_picture(str(folder), str(error)))
            continue
        entries += [(image, label, image.relative_to(folder).as_posix()) for image in iter_images(folder)]
    return entries


def _train_many(session: Session, entries: Sequence[Entry], variant_of: str, again: bool) -> None:
    count: Counter[str] = Counter()
    refused: list[dict[str, str]] = []
    pictures = (entry if isinstance(entry, Picture) else load_picture(*entry) for entry in entries)
    with session.client() as client, session.progress(len(entries), "Teaching") as progress:
        try:
            for picture, answer in send_in_batches(pictures, lambda batch: _teach(client, batch, variant_of, again)):
                if isinstance(answer, ItemError):
                    refused.append({"file": picture.name, "error": describe_item_error(answer)})
                else:
                    count["duplicates" if answer.duplicate else "taught"] += 1
                progress.update(1)
        except HaleganadaError as error:
            error.message += f" ({count['taught']} of {len(entries)} were learned; repeat the command to continue)"
            raise
        warning = warn_if_not_learned(session, client) if count["taught"] else []
    _show(session, count, refused, warning)


def _teach(client: HaleganadaClient, batch: list[Picture], variant_of: str, again: bool) -> list[Taught | ItemError]:
    return client.train_batch(
        [
            Lesson(
                picture.content,
                picture.label,
                variant_of,
                "" if again else derive_request_id(picture.inner_name, picture.content, picture.label, variant_of),
            )
            for picture in batch
        ]
    )


def _show(session: Session, count: Counter[str], refused: list[dict[str, str]], warning: list[str]) -> None:
    result: dict[str, Any] = {"taught": count["taught"], "duplicates": count["duplicates"], "refused": refused}
    parts = [f"learned {format_count(count['taught'], 'drawing')}"]
    if count["duplicates"]:
        parts.append(f"{count['duplicates']:,} taught before (--again teaches them once more)")
    if refused:
        parts.append(f"{len(refused):,} refused:")
    lines = [", ".join(parts), *(f"  {item['file']}: {item['error']}" for item in refused)]
    session.show(result, "\n".join([*lines, *warning]))
    if refused:
        sys.exit(ExitCode.FAILURE)
