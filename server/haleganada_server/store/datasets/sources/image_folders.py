"""Folders of images: [train|validation|test/][writer/]label/picture.png.

An image's folder gives its label, unless class_mapping.json says otherwise; folders above it may give the part and the
writer, others are ignored. A writer is a folder or the beginning of a file name like w012 or writer-12, and nothing
else: numbers in names mean too many things.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import PurePosixPath

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import InvalidInput
from haleganada_server.store.formats import items

from . import class_mapping
from .file_tree import Tree
from .source_item import LabelName, RefusedSource, SourceItem, make_label_name, parse_part

IMAGES = (".png", ".jpg", ".jpeg", ".webp")

_WRITER = re.compile(r"(?:w|writer)[-_ ]?0*(\d{1,9})(?:$|[-_. ])", re.IGNORECASE)
_UNKNOWN_CLASS = "999"
"""The name of “no character” in the data of this project's predecessor."""


def read(tree: Tree) -> Iterator[SourceItem | RefusedSource]:
    """Yield one item or refusal for each file. Raises InvalidInput for an invalid class_mapping.json."""
    names = tree.names()
    images = [name for name in names if _is_image(PurePosixPath(name))]
    mapping = class_mapping.read(tree, names, images)
    class_mapping.require_use(mapping, (_folder(PurePosixPath(name)) for name in images))
    for name in names:
        if class_mapping.is_mapping(name):
            continue
        try:
            yield _read_item(tree, PurePosixPath(name), mapping)
        except InvalidInput as error:
            yield RefusedSource(name, error)


def _read_item(tree: Tree, path: PurePosixPath, mapping: Mapping[str, str]) -> SourceItem:
    if path.is_absolute() or ".." in path.parts:
        raise InvalidInput("file", "has a name that leads out of the folder; create the zip again, with plain folders")
    if not _is_image(path):
        raise InvalidInput("file", "is not a PNG, JPEG or WebP image")
    above = path.parts[:-2]
    if len(path.parts) < 2 or (parse_part(path.parts[-2]) is not None and not _find_parts(above)):
        raise InvalidInput("label", "put each image into a folder that is named after its label")
    name = _name_label(_folder(path), mapping)
    if name.error is not None:
        raise name.error
    return SourceItem(
        item=str(path),
        label=name.label,
        folder=name.folder,
        image=tree.read(str(path)),
        part=next(iter(_find_parts(above)), None),
        writer=_find_writer((*above, path.name)),
    )


def _is_image(path: PurePosixPath) -> bool:
    return path.suffix.lower() in IMAGES


def _folder(path: PurePosixPath) -> str:
    """Return the folder name that gives an image's label; "" without a folder."""
    return items.join_label_folders(path.parts[:-1]) if len(path.parts) > 1 else ""


def _name_label(folder: str, mapping: Mapping[str, str]) -> LabelName:
    label = mapping.get(class_mapping.to_nfc(folder))
    return _parse_folder(folder) if label is None else LabelName(folder, label)


@cache
def _parse_folder(folder: str) -> LabelName:
    if folder == _UNKNOWN_CLASS:
        why = "the folder 999 stands for “unknown” and is no label; name it U+03E7 if you mean the letter ϧ"
        return LabelName(folder, "", InvalidInput("label", why))
    try:
        meaning = items.parse_folder_label(folder)
    except InvalidInput as error:
        return LabelName(folder, "", error)
    name = make_label_name(folder, meaning)
    if name.error is None or meaning == folder:
        return name
    points = " ".join(f"U+{ord(char):04X}" for char in meaning[:8])
    why = f"the folder “{folder[:80]}” means {points}, which cannot be a label; name it after the character itself"
    return LabelName(folder, "", InvalidInput("label", why))


def _find_parts(folders: tuple[str, ...]) -> list[Part]:
    """Return the parts that the folders name, the innermost first."""
    return [part for folder in reversed(folders) if (part := parse_part(folder)) is not None]


def _find_writer(names: tuple[str, ...]) -> str:
    """Return the writer from the outermost name that gives one; "" if none does."""
    return next((match[1] for name in names if (match := _WRITER.match(name))), "")
