"""Folders of images: [train|validation|test/][writer/]label/picture.png.

The folder that an image lies in names its label, unless class_mapping.json says what it means; folders above it may
name the part and the writer, anything else above it is passed over. A writer is a folder or the beginning of a file's
name like w012 or writer-12, and nothing else: numbers in names mean too many things.
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
from .source_item import LabelName, RefusedSource, SourceItem, label_name, part_named

IMAGES = (".png", ".jpg", ".jpeg", ".webp")

_WRITER = re.compile(r"(?:w|writer)[-_ ]?0*(\d{1,9})(?:$|[-_. ])", re.IGNORECASE)
_UNKNOWN_CLASS = "999"
"""What trainers of the system that this one grew out of called everything that is no character."""


def read(tree: Tree) -> Iterator[SourceItem | RefusedSource]:
    """One item or refusal for each file. Raises InvalidInput for a class_mapping.json that cannot be meant."""
    names = tree.names()
    images = [name for name in names if _is_image(PurePosixPath(name))]
    mapping = class_mapping.read(tree, names, images)
    class_mapping.require_use(mapping, (_folder(PurePosixPath(name)) for name in images))
    for name in names:
        if class_mapping.is_mapping(name):
            continue
        try:
            yield _item(tree, PurePosixPath(name), mapping)
        except InvalidInput as error:
            yield RefusedSource(name, error)


def _item(tree: Tree, path: PurePosixPath, mapping: Mapping[str, str]) -> SourceItem:
    if path.is_absolute() or ".." in path.parts:
        raise InvalidInput("file", "has a name that leads elsewhere; make the zip anew, with plain folders")
    if not _is_image(path):
        raise InvalidInput("file", "is not a PNG, JPEG or WebP image")
    above = path.parts[:-2]
    if len(path.parts) < 2 or (part_named(path.parts[-2]) is not None and not _parts(above)):
        raise InvalidInput("label", "put each image into a folder that is named after its label")
    name = _meant(_folder(path), mapping)
    if name.error is not None:
        raise name.error
    part = next(iter(_parts(above)), None)
    return SourceItem(str(path), name.label, name.folder, tree.content(str(path)), part, _writer((*above, path.name)))


def _is_image(path: PurePosixPath) -> bool:
    return path.suffix.lower() in IMAGES


def _folder(path: PurePosixPath) -> str:
    """The folder whose name means the label of an image; "" if it lies in none."""
    return items.folder_meant(path.parts[:-1]) if len(path.parts) > 1 else ""


def _meant(folder: str, mapping: Mapping[str, str]) -> LabelName:
    label = mapping.get(class_mapping.in_nfc(folder))
    return _label(folder) if label is None else LabelName(folder, label)


@cache
def _label(folder: str) -> LabelName:
    if folder == _UNKNOWN_CLASS:
        why = "the folder 999 stands for “unknown” and is no label; name it U+03E7 if you mean the letter ϧ"
        return LabelName(folder, "", InvalidInput("label", why))
    try:
        meaning = items.label_of_folder(folder)
    except InvalidInput as error:
        return LabelName(folder, "", error)
    name = label_name(folder, meaning)
    if name.error is None or meaning == folder:
        return name
    points = " ".join(f"U+{ord(char):04X}" for char in meaning[:8])
    why = f"the folder “{folder[:80]}” means {points}, which cannot be a label; name it after the character itself"
    return LabelName(folder, "", InvalidInput("label", why))


def _parts(folders: tuple[str, ...]) -> list[Part]:
    """The parts that folders are named after, the innermost first."""
    return [part for folder in reversed(folders) if (part := part_named(folder)) is not None]


def _writer(names: tuple[str, ...]) -> str:
    """From the outermost name that tells one."""
    return next((match[1] for name in names if (match := _WRITER.match(name))), "")
