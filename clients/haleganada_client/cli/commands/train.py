"""train: one drawing, several of one label, or a folder of labeled ones."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from haleganada_client.cli.files.folders import IMAGES, images_below, label_below, label_folders, request_id
from haleganada_client.cli.files.paths import matching, tell_of_others
from haleganada_client.cli.files.pictures import Picture, answered, read, refused
from haleganada_client.cli.layout import counted, printable
from haleganada_client.cli.session import Session, with_session
from haleganada_client.cli.text.file_errors import why
from haleganada_client.cli.text.online_learning import not_learned, waited_for
from haleganada_client.errors import HaleganadaError
from haleganada_client.limits import WAIT_LEARNED_MS
from haleganada_client.types import ItemError, Lesson, Taught

if TYPE_CHECKING:
    from haleganada_client.client import HaleganadaClient

LONGEST_WAIT_S = WAIT_LEARNED_MS.maximum // 1000
Entry = tuple[Path, str, str] | Picture
"""A file to read, its label, and its path below the label's folder; or what cannot be read."""


@click.command("train")
@click.argument("label", required=False)
@click.argument("images", nargs=-1, type=click.Path(allow_dash=True))
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
    """Teach a drawing: LABEL IMAGE, - for standard input; or with --folder a folder of labeled images.

    IMAGES may be patterns, too, such as 'page/*.png'. A folder's subfolders name the labels: as text (ಅ), as code
    points (U+0C95_0CCD) or as a decimal code (3205). Folders and several images can be taught again after an
    interruption: no file is learned twice. A single image is learned anew each time. Exit code 1 if some were refused.

    \b
    haleganada train ಅ drawing.png
    haleganada train --folder letters/
    haleganada train ಕಿ drawing.png --variant-of ಕ
    haleganada train ಅ drawing.png --wait-learned
    """
    if wait_s is not None and len(images) != 1:
        _refuse_to_wait(session)
    if folder is not None and label is None:
        entries = _labeled(session, folder)
    elif folder is None and label and images:
        entries = _of_one_label(session, label, images)
    else:
        example = f"{session.command_line('train')} ಅ drawing.png"
        raise click.UsageError(f"say LABEL IMAGE, for example: {example}, or give --folder alone")
    if label and len(images) == 1 and (images[0] == "-" or Path(images[0]).is_file()):
        _train_one(session, label, images[0], variant_of, wait_s)
    elif wait_s is not None:
        _refuse_to_wait(session)
    else:
        _train_many(session, entries, variant_of, again)


def _refuse_to_wait(session: Session) -> NoReturn:
    raise click.UsageError(f"--wait-learned waits for one drawing; `{session.command_line('stats')}` tells of many")


def _train_one(session: Session, label: str, image: str, variant_of: str, wait_s: float | None) -> None:
    picture = sys.stdin.buffer.read() if image == "-" else Path(image).read_bytes()
    with session.client() as client:
        taught = client.train(picture, label, variant_of=variant_of, wait_learned_s=wait_s or 0)
        unlearned = not_learned(session, client)
        waited = [] if wait_s is None or unlearned else waited_for(session, client, taught)
    session.show(taught, "\n".join([in_words(taught), *waited, *unlearned]))


def in_words(taught: Taught) -> str:
    """What a taught sample means, in one line."""
    stands_for = f" (a form of {taught.canonical})" if taught.canonical != taught.label else ""
    known = f"{counted(taught.labels_known, 'label')}, {counted(taught.samples_total, 'sample')} known"
    return f"learned {taught.label}{stands_for} as sample {taught.sample_id}; {known}"


def _of_one_label(session: Session, label: str, images: Sequence[str]) -> list[Entry]:
    """The files that are named. Raises click.UsageError where one is none."""
    paths = [path for name in images for path in matching(name)]
    for path in paths:
        if path.is_dir():
            files = session.command_line("train", label, str(path / "*.png"))
            raise click.UsageError(
                f"{printable(str(path))} is a folder; name its files, for example with `{files}`, or give the folder "
                "above it with --folder, whose folders name the labels"
            )
    return [(path, label, path.name) for path in paths]


def _labeled(session: Session, root: Path) -> list[Entry]:
    """All images below the folders of `root` that are named after labels, and what is not where it should be."""
    loose = [path for path in sorted(root.iterdir()) if path.suffix.lower() in IMAGES and path.is_file()]
    tell_of_others([root])
    entries = _in_label_folders(root)
    if not entries and loose:
        files = session.command_line("train", "LABEL", str(root / f"*{loose[0].suffix}"))
        raise click.UsageError(
            f"{printable(str(root))} has no folders that name labels; give the folder above it, or teach its pictures "
            f"as one label with `{files}`"
        )
    if not entries:
        raise click.UsageError(f"{printable(str(root))} has no images in folders named after labels")
    return [
        *(refused(str(path), "lies in no folder that names its label; move it into one") for path in loose),
        *entries,
    ]


def _in_label_folders(root: Path) -> list[Entry]:
    entries: list[Entry] = []
    for folder in label_folders(root):
        try:
            label = label_below(root, folder)
        except ValueError as error:
            entries.append(refused(str(folder), str(error)))
            continue
        entries += [(image, label, image.relative_to(folder).as_posix()) for image in images_below(folder)]
    return entries


def _train_many(session: Session, entries: Sequence[Entry], variant_of: str, again: bool) -> None:
    count: Counter[str] = Counter()
    problems: list[dict[str, str]] = []
    pictures = (entry if isinstance(entry, Picture) else read(*entry) for entry in entries)
    with session.client() as client, session.progress(len(entries), "Teaching") as progress:
        try:
            for picture, answer in answered(pictures, lambda batch: _teach(client, batch, variant_of, again)):
                if isinstance(answer, ItemError):
                    problems.append({"file": picture.name, "error": why(answer)})
                else:
                    count["duplicates" if answer.duplicate else "taught"] += 1
                progress.update(1)
        except HaleganadaError as error:
            error.message += f" ({count['taught']} of {len(entries)} were learned; the same command goes on from there)"
            raise
        unlearned = not_learned(session, client) if count["taught"] else []
    _show(session, count, problems, unlearned)


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


def _show(session: Session, count: Counter[str], problems: list[dict[str, str]], unlearned: list[str]) -> None:
    result: dict[str, Any] = {"taught": count["taught"], "duplicates": count["duplicates"], "refused": problems}
    parts = [f"learned {counted(count['taught'], 'drawing')}"]
    if count["duplicates"]:
        parts.append(f"{count['duplicates']:,} taught before (--again teaches them once more)")
    if problems:
        parts.append(f"{len(problems):,} refused:")
    lines = [", ".join(parts), *(f"  {problem['file']}: {problem['error']}" for problem in problems)]
    session.show(result, "\n".join([*lines, *unlearned]))
    if problems:
        sys.exit(1)
