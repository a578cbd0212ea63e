"""A zip with a folder for each label, the usual layout for training image classifiers."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from haleganada_server.core.disk import zip_files
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.folder_names import (
    FolderNames,
    describe_code_points,
    describe_unknown_folder,
    find_unknown_folder,
    list_code_points,
    parse_folder_name,
)
from haleganada_server.core.glyphs.ports import Rasterizer
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.reading.ports import LabeledDrawing
from haleganada_server.core.workspaces.ports import ImportItem, OnNote, ignore_note
from haleganada_server.core.workspaces.types import RefusedItem
from haleganada_server.store.sample_log.reader import LogReader

from . import items, seed_files
from .drawings import raster_to_png, to_png

_UNKNOWN_USE = "only models that are trained on a data set learn from them. Name it U+0039_0039_0039 if 999 is a label"
IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic")


def write(log: LogReader, rasterizer: Rasterizer, path: Path) -> None:
    """Write U+0C95_0CCD/<sample id>.png for each sample, black on white."""
    with zipfile.ZipFile(path, "w") as file:
        for sample in log.all_samples():
            name = f"{items.label_to_folders(sample.label)}/{sample.sample_id}.png"
            file.writestr(zip_files.new_member(name, zipfile.ZIP_STORED), to_png(sample, rasterizer))


def write_drawings(drawings: Iterable[LabeledDrawing], path: Path) -> None:
    """Write U+0C95_0CCD/<name>.png for each drawing, black on white."""
    with zipfile.ZipFile(path, "w") as file:
        for drawing in drawings:
            name = f"{items.label_to_folders(drawing.label)}/{drawing.name}.png"
            file.writestr(zip_files.new_member(name, zipfile.ZIP_STORED), raster_to_png(drawing.raster))


def read(
    path: Path, names: FolderNames = FolderNames.AUTO, on_note: OnNote = ignore_note
) -> Iterator[ImportItem | RefusedItem]:
    """Yield one item or refusal for each file; skip hidden files, those that macOS adds, the lists of seed files, and
    drawings of none of the labels. names: how to read folders that are named by numbers. on_note: called with what the
    importer should know.

    Raises InvalidInput for folders that look like class numbers.
    """
    with zip_files.open_zip(path) as file:
        members = {PurePosixPath(name): info for name, info in zip_files.list_members(file).items()}
        folders = {name: items.join_label_folders(name.parts[:-1]) for name in members if len(name.parts) > 1}
        distinct = set(folders.values())
        if unknown := find_unknown_folder(distinct):
            on_note(f"{describe_unknown_folder(unknown)} and was skipped: {_UNKNOWN_USE}")
        numbers = list_code_points(distinct - {unknown}, names)
        if numbers and names is FolderNames.AUTO:
            on_note(describe_code_points(numbers))
        for name, info in members.items():
            if name.name not in seed_files.LISTS and folders.get(name) != unknown:
                yield _read_item(file, info, name, names)


def _read_item(
    file: zipfile.ZipFile, member: zipfile.ZipInfo, name: PurePosixPath, rule: FolderNames
) -> ImportItem | RefusedItem:
    try:
        if name.suffix.lower() not in IMAGES:
            raise InvalidInput("file", "is not a PNG, JPEG or WebP image")
        if len(name.parts) < 2:
            raise InvalidInput("label", "put each image into a folder that is named after its label")
        label = parse_folder_name(items.join_label_folders(name.parts[:-1]), rule)
        image = zip_files.read_member(file, member)
        key = items.item_key(label, image, 0)
        return ImportItem(item=str(name), label=label, canonical="", glyph=Glyph(image=image), key=key)
    except InvalidInput as error:
        return RefusedItem(str(name), error)
