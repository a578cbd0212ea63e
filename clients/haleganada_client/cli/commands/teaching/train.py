"""train: teach one drawing, several drawings of one label, or a folder of labeled ones."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

import click

from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.files.given_labels import read_label_file, report_unused
from haleganada_client.cli.files.label_folders import (
    FOLDER_NAMES,
    derive_request_id,
    is_unknown_folder,
    label_of_folder,
    list_code_points,
    list_label_folders,
    parse_label,
)
from haleganada_client.cli.files.paths import expand_paths, report_other_files
from haleganada_client.cli.files.pictures import Picture, load_picture, refuse_picture, send_in_batches
from haleganada_client.cli.formatting import format_count, printable
from haleganada_client.cli.output.changed_text import warn_if_text_changes
from haleganada_client.cli.output.file_errors import describe_file_error
from haleganada_client.cli.output.online_learning import describe_wait, warn_if_not_learned
from haleganada_client.cli.output.refusals import group_refused
from haleganada_client.cli.output.taught_sample import describe_taught
from haleganada_client.cli.session import Session, say_if_stopped, with_session
from haleganada_client.errors import HaleganadaError
from haleganada_client.labeled.font import draw_labels, read_characters
from haleganada_client.labeled.image_files import IMAGE_SUFFIXES, iter_images
from haleganada_client.labeled.label_file import LabelFile
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
@click.option(
    "--labels",
    "label_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A CSV or JSON lines file with the path and the label of each image below --folder, instead of folder names.",
)
@click.option(
    "--folder-names",
    default="auto",
    show_default=True,
    type=click.Choice(FOLDER_NAMES),
    help="How to read subfolders that are named by numbers, such as 65.",
)
@click.option(
    "--from-font",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw labels in this font (.ttf, .otf) and teach them as a start. Needs the font extra.",
)
@click.option(
    "--characters",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A file with the labels that --from-font draws, separated by white space.",
)
@click.option("--variant-of", default="", metavar="LABEL", help="The label that this one is a form of.")
@click.option("--again", is_flag=True, help="Teach images again that were taught before.")
@click.option(
    "--skip-known", is_flag=True, help="Skip drawings that are known with the same label, whatever their files."
)
@click.option(
    "--wait-learned",
    "wait_s",
    type=click.FloatRange(0, MAX_WAIT_S),
    is_flag=False,
    flag_value=MAX_WAIT_S,
    metavar="[SECONDS]",
    help="Wait until the online network has learned the drawing as well. Only for one drawing; give this option last. "
    f"[default: {MAX_WAIT_S}]",
)
@click.option(
    "--offline-ok",
    is_flag=True,
    envvar="HALEGANADA_OFFLINE_OK",
    show_envvar=True,
    help="While the server cannot be reached, keep the drawings on this machine; the next `train --offline-ok`, or "
    "`haleganada outbox send`, sends them, once and in order.",
)
@with_session
def train_command(
    session: Session,
    label: str | None,
    images: tuple[str, ...],
    folder: Path | None,
    label_file: Path | None,
    folder_names: str,
    from_font: Path | None,
    characters: Path | None,
    variant_of: str,
    again: bool,
    skip_known: bool,
    wait_s: float | None,
    offline_ok: bool,
) -> None:
    """Teach drawings: one or more IMAGES of LABEL, a folder of labeled images (--folder) or a font (--from-font).

    An image may be a file, a pattern such as 'page/*.png', or - for standard input. Subfolders may be named by a label
    (ಅ), its code points (U+0C95_0CCD) or, where all are letters, decimal codes (3205).

    A font's drawings are marked as synthetic. Each counts as one drawing, so that two of yours outvote it.

    Several images, and folders, are taught once: after an interruption, repeat the command. A single image is taught
    each time, unless --skip-known is given. `haleganada undo --batch` takes back what one command taught. The exit code
    is 1 if images were refused.

    \b
    haleganada train ಅ drawing.png
    haleganada train --folder letters/
    haleganada train ಕಿ drawing.png --variant-of ಕ
    haleganada train ಅ drawing.png --wait-learned
    haleganada train ಅ drawing.png --offline-ok
    haleganada train --from-font Lohit-Kannada.ttf --characters letters.txt
    """
    if wait_s is not None and len(images) != 1:
        _refuse_to_wait(session)
    if label_file is not None and folder is None:
        raise click.UsageError("--labels names the images below a --folder; give that, too")
    if (from_font is None) != (characters is None):
        raise click.UsageError("--from-font and --characters belong together: a font, and what to draw in it")
    if from_font is not None and characters is not None and folder is None and label is None:
        entries = _draw_characters(from_font, characters)
    elif folder is not None and label is None and label_file is not None:
        entries = _list_images_of_file(folder, read_label_file(label_file))
    elif folder is not None and label is None:
        entries = _list_labeled_images(session, folder, folder_names)
    elif folder is None and label and images:
        entries = _list_images_of_label(session, label, images)
    else:
        example = f"{session.command_line('train')} ಅ drawing.png"
        raise click.UsageError(f"give LABEL and IMAGE, for example {example}, or only --folder, or only --from-font")
    how = _How(again=again, skip_known=skip_known, synthetic=bool(from_font))
    is_one = bool(label) and len(images) == 1 and (images[0] == "-" or Path(images[0]).is_file())
    if offline_ok and wait_s is not None:
        raise click.UsageError("--offline-ok does not wait, and --wait-learned does; leave one of them out")
    if offline_ok:
        _teach_or_keep(session, _read_one(str(label), images[0]) if is_one else entries, variant_of, how, is_one)
    elif label and is_one:
        _train_one(session, label, images[0], variant_of, wait_s, skip_known)
    elif wait_s is not None:
        _refuse_to_wait(session)
    else:
        _train_many(session, entries, variant_of, how)


def _refuse_to_wait(session: Session) -> NoReturn:
    stats = session.command_line("stats")
    raise click.UsageError(f"--wait-learned works with one drawing; for several, `{stats}` shows the progress")


@dataclass(frozen=True, kw_only=True)
class _How:
    """How to teach several drawings. again: also files that were taught before. synthetic: a program has drawn them.
    batch_id: of this command.
    """

    again: bool
    skip_known: bool
    synthetic: bool
    batch_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def known_drawings(self) -> str:
        return "skip" if self.skip_known else "tell"


def _train_one(
    session: Session, label: str, image: str, variant_of: str, wait_s: float | None, skip_known: bool
) -> None:
    picture = sys.stdin.buffer.read() if image == "-" else Path(image).read_bytes()
    with session.client() as client:
        taught = client.train(
            picture,
            label,
            variant_of=variant_of,
            wait_learned_s=wait_s or 0,
            known_drawings="skip" if skip_known else "tell",
        )
        warning = warn_if_not_learned(session, client)
        waited = [] if wait_s is None or warning else describe_wait(session, client, taught)
    if variant_of and not taught.duplicate:
        warn_if_text_changes(session, taught.label, taught.canonical)
    session.show(taught, "\n".join([describe_taught(taught), *waited, *warning]))


def _read_one(label: str, image: str) -> list[Entry]:
    if image == "-":
        return [Picture("-", sys.stdin.buffer.read(), label)]
    return [(Path(image), label, Path(image).name)]


def _teach_or_keep(session: Session, entries: Sequence[Entry], variant_of: str, how: _How, is_one: bool) -> None:
    """is_one: whether it is a single drawing, which is taught each time."""
    from .offline import OfflineLesson, teach_or_keep

    pictures = (entry if isinstance(entry, Picture) else load_picture(*entry) for entry in entries)
    teach_or_keep(
        session,
        (
            OfflineLesson(
                picture=picture,
                request_id=str(uuid4()) if is_one else _request_id(picture, variant_of, how) or str(uuid4()),
                variant_of=variant_of,
                known_drawings=how.known_drawings,
                batch_id="" if is_one else how.batch_id,
                synthetic=how.synthetic,
            )
            for picture in pictures
        ),
    )


def _draw_characters(font: Path, characters: Path) -> list[Entry]:
    """Return a picture of each label in the file of characters."""
    from haleganada_client.wire.drawings import encode_png  # which imports protobuf

    labels = read_characters(characters)
    drawn = zip(labels, draw_labels(font, labels), strict=True)
    return [Picture(f"{font.name}: {label}", encode_png(picture), label, font.name) for label, picture in drawn]


def _list_images_of_label(session: Session, label: str, images: Sequence[str]) -> list[Entry]:
    """Return the files that the arguments name; refuse names without a file. Raise click.UsageError for folders, and if
    there is no file at all.
    """
    paths = expand_paths(images)
    for path in paths:
        if path.is_dir():
            files = session.command_line("train", label, str(path / "*.png"))
            raise click.UsageError(
                f"{printable(str(path))} is a folder; name its files, for example with `{files}`, or give the folder "
                "above it with --folder if its subfolders are named after labels"
            )
    return [(path, label, path.name) for path in paths]


def _list_images_of_file(root: Path, labels: LabelFile) -> list[Entry]:
    """Return all images below `root` with their labels, and refuse those that the file does not name."""
    entries: list[Entry] = []
    for path in iter_images(root):
        inner = path.relative_to(root).as_posix()
        label = labels.find(inner)
        entries.append(
            refuse_picture(str(path), "is not in the file of labels") if label is None else (path, label, inner)
        )
    report_unused(labels)
    return entries


def _list_labeled_images(session: Session, root: Path, folder_names: str) -> list[Entry]:
    """Return all images in the label folders of `root`, and refuse those outside. Raise click.UsageError if none is in
    one.
    """
    loose = [path for path in sorted(root.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]
    report_other_files([root])
    entries = _list_images_in_label_folders(root, folder_names)
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


def _list_images_in_label_folders(root: Path, folder_names: str) -> list[Entry]:
    entries: list[Entry] = []
    folders = _skip_unknown_folder(list_label_folders(root))
    _report_code_points([folder.name for folder in folders], folder_names)
    for folder in folders:
        try:
            label = label_of_folder(root, folder, folder_names)
        except ValueError as error:
            entries.append(refuse_picture(str(folder), str(error)))
            continue
        entries += [(image, label, image.relative_to(folder).as_posix()) for image in iter_images(folder)]
    return entries


def _skip_unknown_folder(folders: Sequence[Path]) -> list[Path]:
    """Return the folders without the one of drawings of none of the labels, and say on stderr which that is."""
    names = {folder.name for folder in folders}
    kept = [folder for folder in folders if not is_unknown_folder(folder.name, names)]
    for folder in set(folders).difference(kept):
        click.echo(
            f"{printable(str(folder))} holds drawings of none of the labels and is skipped: only models that are "
            "trained on a data set learn from them; name it U+0039_0039_0039 if 999 is a label",
            err=True,
        )
    return kept


def _report_code_points(names: Sequence[str], rule: str) -> None:
    """Say on stderr which folders are read as code points. Raise click.UsageError for what looks like class numbers."""
    try:
        numbers = list_code_points(names, rule)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if numbers and rule == "auto":
        shown = ", ".join(f"{number} is “{parse_label(number, rule)}”" for number in numbers[:3])
        more = ", …" if len(numbers) > 3 else ""
        click.echo(f"read as code points: {shown}{more}; --folder-names text reads them as text", err=True)


def _train_many(session: Session, entries: Sequence[Entry], variant_of: str, how: _How) -> None:
    count: Counter[str] = Counter()
    labels: set[str] = set()
    revision = 0
    refused: list[dict[str, str]] = []
    pictures = (entry if isinstance(entry, Picture) else load_picture(*entry) for entry in entries)
    back = session.command_line("undo", "--batch")

    def how_far() -> str:
        taught = f"{count['taught']:,} of {format_count(len(entries), 'drawing')} were learned so far"
        return f"{taught}; repeat the command to continue, or take them back with `{back}`"

    with (
        session.client() as client,
        say_if_stopped(how_far),
        session.progress(len(entries), "Teaching") as progress,
    ):
        try:
            for picture, answer in send_in_batches(pictures, lambda batch: _teach(client, batch, variant_of, how)):
                if isinstance(answer, ItemError):
                    refused.append({"file": picture.name, "error": describe_file_error(answer)})
                else:
                    count.update(_classify(answer, how))
                    labels.add(answer.label)
                    revision = max(revision, answer.revision)
                progress.update(1)
        except HaleganadaError as error:
            error.message += f" ({count['taught']} of {len(entries)} were learned; repeat the command to continue)"
            raise
        warning = warn_if_not_learned(session, client) if count["taught"] else []
    for label in sorted(labels if variant_of else ()):
        warn_if_text_changes(session, label, variant_of)
    _show(session, count, revision, refused, [*_describe_known(count, how), *warning])


def _classify(taught: Taught, how: _How) -> list[str]:
    """Return what to count: a drawing may be learned and known at once."""
    known = ["known"] if taught.known_sample_id and (how.skip_known or not taught.duplicate) else []
    if taught.duplicate:
        return known or ["duplicates"]
    return ["taught", *known]


def _teach(client: HaleganadaClient, batch: list[Picture], variant_of: str, how: _How) -> list[Taught | ItemError]:
    return client.train_batch(
        [
            Lesson(
                picture.content,
                picture.label,
                variant_of,
                _request_id(picture, variant_of, how),
                how.synthetic,
            )
            for picture in batch
        ],
        known_drawings=how.known_drawings,
        batch_id=how.batch_id,
    )


def _request_id(picture: Picture, variant_of: str, how: _How) -> str:
    """Return what makes a file be taught once; "" if it is to be taught again."""
    return "" if how.again else derive_request_id(picture.inner_name, picture.content, picture.label, variant_of)


def _describe_known(count: Counter[str], how: _How) -> list[str]:
    if not count["known"]:
        return []
    known = f"{format_count(count['known'], 'drawing')} known already with the same label"
    return [f"{known}, skipped" if how.skip_known else f"of them, {known}; --skip-known skips such drawings"]


def _show(session: Session, count: Counter[str], revision: int, refused: list[dict[str, str]], more: list[str]) -> None:
    """revision: the one after the last drawing that was learned."""
    names = ("taught", "duplicates", "known")
    result: dict[str, Any] = {**{name: count[name] for name in names}, "refused": refused}
    parts = [f"learned {format_count(count['taught'], 'drawing')}"]
    if count["duplicates"]:
        parts.append(f"{count['duplicates']:,} taught before (--again teaches them once more)")
    if refused:
        parts.append(f"{len(refused):,} refused:")
    reasons = group_refused((item["file"], item["error"]) for item in refused)
    lines = [", ".join(parts), *(f"  {line}" for line in reasons)]
    if count["taught"]:
        back = session.command_line("undo", "--batch", "--revision", str(revision))
        lines.append(f"`{back}` takes back what this command taught")
    session.show(result, "\n".join([*lines, *more]))
    if refused:
        sys.exit(ExitCode.FAILURE)
