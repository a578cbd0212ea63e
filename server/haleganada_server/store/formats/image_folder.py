"""A zip with a folder for each label: what image classifiers train on, and what people have."""

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
from .drawings import black_on_white

_IMAGES = (".png", ".jpg", ".jpeg", ".webp")


def write(log: LogReader, rasterizer: Rasterizer, path: Path) -> None:
    """Write U+0C95_0CCD/<sample id>.png for each sample, black on white."""
    with zipfile.ZipFile(path, "w") as file:
        for sample in log.every_sample():
            name = f"{items.folder_path(sample.label)}/{sample.sample_id}.png"
            file.writestr(zip_files.described(name, zipfile.ZIP_STORED), black_on_white(sample, rasterizer))


def read(path: Path, rasterizer: Rasterizer) -> Iterator[ImportItem | RefusedItem]:
    """One item or refusal for each file in a folder; hidden files, what macOS adds and the seed files' lists are passed
    over.
    """
    del rasterizer  # pictures are checked when they are taught
    with zip_files.opened(path) as file:
        for info in file.infolist():
            name = PurePosixPath(zip_files.real_name(info))
            if not info.is_dir() and not _hidden(name) and name.name not in seed_files.LISTS:
                yield _item(file, info.filename, name)


def _hidden(name: PurePosixPath) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in name.parts)


def _item(file: zipfile.ZipFile, member: str, name: PurePosixPath) -> ImportItem | RefusedItem:
    try:
        if name.suffix.lower() not in _IMAGES:
            raise InvalidInput("file", "is not a PNG, JPEG or WebP image")
        if len(name.parts) < 2:
            raise InvalidInput("label", "put each image into a folder that is named after its label")
        label = items.label_of_folder(items.folder_meant(name.parts[:-1]))
        image = zip_files.content(file, member)
        return ImportItem(str(name), label, "", Glyph(image=image), items.key(label, image, 0))
    except InvalidInput as error:
        return RefusedItem(str(name), error)
