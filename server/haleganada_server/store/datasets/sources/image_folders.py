"""Folders of images: [train|validation|test/][writer/]label/picture.png.

An image's folder gives its label, unless class_mapping.json says otherwise, or it is the one for drawings of none of
the labels; folders above it may give the part and the writer, others are ignored. A writer is a folder or the beginning
of a file name like w012 or writer-12, and nothing else: numbers in names mean too many things.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import PurePosixPath

from haleganada_server.core.datasets.dataset import DatasetNote, Part
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.folder_names import (
    FolderNames,
    describe_code_points,
    describe_unknown_folder,
    find_unknown_folder,
    list_code_points,
    parse_folder_name,
)
from haleganada_server.core.limits import MAX_LISTED_ITEMS
from haleganada_server.store.formats import image_folder, items

from . import class_mapping
from .file_tree import Tree
from .source_item import LabelName, OnNote, RefusedSource, SourceItem, ignore_note, make_label_name, parse_part

_WRITER = re.compile(r"(?:w|writer)[-_ ]?0*(\d{1,9})(?:$|[-_. ])", re.IGNORECASE)
_UNKNOWN_USE = "a model learns from them what to call unknown. If it is a label, name it in class_mapping.json"
READ_AS_CODE_POINTS, UNKNOWN_DRAWINGS = "READ_AS_CODE_POINTS", "UNKNOWN_DRAWINGS"


def read(
    tree: Tree, rule: FolderNames = FolderNames.AUTO, on_note: OnNote = ignore_note, unknown_folder: str = ""
) -> Iterator[SourceItem | RefusedSource]:
    """Yield one item or refusal for each file. rule: how to read folders that are named by numbers. on_note: called if
    they were read as code points, and about drawings of none of the labels. unknown_folder: see DatasetOptions.

    Raises InvalidInput for an invalid class_mapping.json, for folders that look like class numbers, and if there is no
    such folder for unknown drawings.
    """
    names = tree.names()
    images = [name for name in names if is_image(name)]
    mapping = class_mapping.read(tree, names, images)
    folders = {_folder(PurePosixPath(name)) for name in images}
    class_mapping.require_use(mapping, folders)
    unmapped = {class_mapping.to_nfc(name) for name in folders} - mapping.keys()
    if unknown := find_unknown_folder(unmapped, class_mapping.to_nfc(unknown_folder)):
        on_note(DatasetNote(UNKNOWN_DRAWINGS, f"{describe_unknown_folder(unknown)}; {_UNKNOWN_USE}"))
    numbers = list_code_points(unmapped - {unknown}, rule)
    if numbers and rule is FolderNames.AUTO:
        labels = tuple(sorted(parse_folder_name(number, FolderNames.CODE_POINTS) for number in numbers))
        on_note(DatasetNote(READ_AS_CODE_POINTS, describe_code_points(numbers), labels[:MAX_LISTED_ITEMS]))
    meanings = {**mapping, unknown: ""} if unknown else mapping
    for name in names:
        if class_mapping.is_mapping(name):
            continue
        try:
            yield _read_item(tree, PurePosixPath(name), meanings, rule)
        except InvalidInput as error:
            yield RefusedSource(name, error)


def _read_item(tree: Tree, path: PurePosixPath, meanings: Mapping[str, str], rule: FolderNames) -> SourceItem:
    """Read an image. meanings: folder name in NFC -> label, "" = none of the labels; others are read by `rule`."""
    if path.is_absolute() or ".." in path.parts:
        raise InvalidInput("file", "has a name that leads out of the folder; create the zip again, with plain folders")
    if not is_image(path.name):
        raise InvalidInput("file", "is not a PNG, JPEG or WebP image")
    above = path.parts[:-2]
    if len(path.parts) < 2 or (parse_part(path.parts[-2]) is not None and not _find_parts(above)):
        raise InvalidInput("label", "put each image into a folder that is named after its label")
    name = _name_label(_folder(path), meanings, rule)
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


def is_image(name: str) -> bool:
    """Return whether a file has the name of an image."""
    return name.lower().endswith(image_folder.IMAGES)


def _folder(path: PurePosixPath) -> str:
    """Return the folder name that gives an image's label; "" without a folder."""
    return items.join_label_folders(path.parts[:-1]) if len(path.parts) > 1 else ""


def _name_label(folder: str, meanings: Mapping[str, str], rule: FolderNames) -> LabelName:
    label = meanings.get(class_mapping.to_nfc(folder))
    return _parse_folder(folder, rule) if label is None else LabelName(folder, label)


@cache
def _parse_folder(folder: str, rule: FolderNames) -> LabelName:
    try:
        meaning = parse_folder_name(folder, rule)
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
