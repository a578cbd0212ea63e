"""A zip with a folder for each label, the usual layout for training image classifiers."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.ports import Rasterizer
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.workspaces.ports import ImportItem
from haleganada_server.core.workspaces.types import RefusedItem
from haleganada_server.store.sample_log.reader import LogReader

from . import items, seed_files, zip_files
from .drawings import to_png

_IMAGES = (".png", ".jpg", ".jpeg", ".webp")


def write(log: LogReader, rasterizer: Rasterizer, path: Path) -> None:
    """Write U+0C95_0CCD/<sample id>.png for each sample, black on white."""
    with zipfile.ZipFile(path, "w") as file:
        for sample in log.all_samples():
            name = f"{items.label_to_folders(sample.label)}/{sample.sample_id}.png"
            file.writestr(zip_files.new_member(name, zipfile.ZIP_STORED), to_png(sample, rasterizer))


def read(path: Path, rasterizer: Rasterizer) -> Iterator[ImportItem | RefusedItem]:
    """Yield one item or refusal for each file; skip hidden files, those that macOS adds, and the lists of seed
    files.
    """
    del rasterizer  # pictures are checked when they are taught
    with zip_files.open_zip(path) as file:
        for info in file.infolist():
            name = PurePosixPath(zip_files.decode_name(info))
            if not info.is_dir() and not zip_files.is_hidden(str(name)) and name.name not in seed_files.LISTS:
                yield _read_item(file, info.filename, name)


def _read_item(file: zipfile.ZipFile, member: str, name: PurePosixPath) -> ImportItem | RefusedItem:
    try:
        if name.suffix.lower() not in _IMAGES:
            raise InvalidInput("file", "is not a PNG, JPEG or WebP image")
        if len(name.parts) < 2:
            raise InvalidInput("label", "put each image into a folder that is named after its label")
        label = items.parse_folder_label(items.join_label_folders(name.parts[:-1]))
        image = zip_files.read_member(file, member)
        key = items.item_key(label, image, 0)
        return ImportItem(item=str(name), label=label, canonical="", glyph=Glyph(image=image), key=key)
    except InvalidInput as error:
        return RefusedItem(str(name), error)
