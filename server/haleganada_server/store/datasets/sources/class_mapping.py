"""class_mapping.json: a JSON object of folder -> label, for folders whose names do not say what they mean.

It counts for all images, so it lies above all of them. Labels in it are text as it stands: "65" is no A there.
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.labels import normalize_label

from .file_tree import Tree

FILE = "class_mapping.json"

_MAX_BYTES = 4 << 20
_LONGEST_SHOWN = 80
_NAMED_IN_ERRORS = 10


def is_mapping(name: str) -> bool:
    """Whether a file is one, by its name."""
    return PurePosixPath(name).name == FILE


def read(tree: Tree, names: Sequence[str], images: Sequence[str]) -> dict[str, str]:
    """Folder, by its name in NFC -> label, normalized; {} without such a file. names: all of the tree's; images: those
    of images.

    Raises InvalidInput for several such files, one that is not above all images, and one that is no object of distinct
    folders and distinct labels.
    """
    found = [name for name in names if is_mapping(name)]
    if not found:
        return {}
    if len(found) > 1:
        raise InvalidInput("file", f"has several mappings ({_listed(found)}); leave only the right one")
    above = found[0].removesuffix(FILE)
    if not all(name.startswith(above) for name in images):
        raise InvalidInput("file", f"has {_shown(found[0])}, which is not above all its images; move it there")
    try:
        content = tree.content(found[0], _MAX_BYTES)
    except InvalidInput as error:
        raise InvalidInput("file", f"has a {FILE} that {error.description}") from error
    labels = {folder: _label(folder, label) for folder, label in _object(content).items()}
    _require_distinct(labels)
    return labels


def require_use(labels: Mapping[str, str], folders: Iterable[str]) -> None:
    """Raises InvalidInput if a mapping names none of these folders, as one the other way round does."""
    if labels and labels.keys().isdisjoint(map(in_nfc, folders)):
        raise InvalidInput("file", f"has a {FILE} that names none of its folders; {_WANTED}")


def in_nfc(folder: str) -> str:
    """A folder's name as a mapping has it: some systems store the decomposed one."""
    return unicodedata.normalize("NFC", folder)


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content, object_pairs_hook=_distinct)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidInput("file", f"has a {FILE} that is no JSON object with each folder once; {_WANTED}")
    return found


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {in_nfc(name): value for name, value in pairs}
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _label(folder: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidInput("file", f"has a {FILE} whose label for “{_shown(folder)}” is not text; {_WANTED}")
    try:
        return normalize_label(value)
    except InvalidInput as error:
        problem = f"has a {FILE} whose label for “{_shown(folder)}” {error.description}"
        raise InvalidInput("file", problem) from error


def _require_distinct(labels: Mapping[str, str]) -> None:
    folders: dict[str, list[str]] = defaultdict(list)
    for folder, label in labels.items():
        folders[label].append(folder)
    colliding = [f"{_listed(own)} all mean “{label}”" for label, own in sorted(folders.items()) if len(own) > 1]
    if colliding:
        listed = "; ".join(colliding[:_NAMED_IN_ERRORS])
        raise InvalidInput(
            "file", f"has several names for one label in its {FILE}: {listed}. Merge them, or correct it"
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"“{_shown(name)}”" for name in sorted(names)[:_NAMED_IN_ERRORS])


def _shown(name: str) -> str:
    """With escapes for what is not text: JSON and names of files need not be UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()[:_LONGEST_SHOWN]


_WANTED = 'write it as {"folder": "label"}'
