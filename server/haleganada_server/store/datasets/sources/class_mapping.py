"""class_mapping.json: a JSON object of folder -> label, for folders whose names do not show their labels.

It applies to all images, so it must be above all of them. Labels in it are literal text: "65" does not mean A there.
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
_MAX_SHOWN = 80
_NAMED_IN_ERRORS = 10


def is_mapping(name: str) -> bool:
    """Return whether a file has the name of a mapping."""
    return PurePosixPath(name).name == FILE


def read(tree: Tree, names: Sequence[str], images: Sequence[str]) -> dict[str, str]:
    """Return folder name in NFC -> normalized label; {} without such a file. names: all files of the tree; images: the
    images among them.

    Raises InvalidInput for several such files, one that is not above all images, or one that is not an object of
    distinct folders and distinct labels.
    """
    found = [name for name in names if is_mapping(name)]
    if not found:
        return {}
    if len(found) > 1:
        raise InvalidInput("file", f"has several mappings ({_quote_all(found)}); keep only the right one")
    above = found[0].removesuffix(FILE)
    if not all(name.startswith(above) for name in images):
        raise InvalidInput("file", f"has {_escape(found[0])}, which is not above all its images; move it there")
    try:
        content = tree.read(found[0], _MAX_BYTES)
    except InvalidInput as error:
        raise InvalidInput("file", f"has a {FILE} that {error.description}") from error
    labels = {folder: _parse_label(folder, label) for folder, label in _parse_object(content).items()}
    _require_distinct_labels(labels)
    return labels


def require_use(labels: Mapping[str, str], folders: Iterable[str]) -> None:
    """Raise InvalidInput if a mapping names none of these folders, as a reversed one does."""
    if labels and labels.keys().isdisjoint(map(to_nfc, folders)):
        raise InvalidInput("file", f"has a {FILE} that names none of its folders; {_EXAMPLE}")


def to_nfc(folder: str) -> str:
    """Return a folder's name as in a mapping: some systems store it decomposed."""
    return unicodedata.normalize("NFC", folder)


def _parse_object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content, object_pairs_hook=_require_distinct_names)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidInput("file", f"has a {FILE} that is not a JSON object with each folder once; {_EXAMPLE}")
    return found


def _require_distinct_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {to_nfc(name): value for name, value in pairs}
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _parse_label(folder: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidInput("file", f"has a {FILE} whose label for “{_escape(folder)}” is not text; {_EXAMPLE}")
    try:
        return normalize_label(value)
    except InvalidInput as error:
        problem = f"has a {FILE} whose label for “{_escape(folder)}” {error.description}"
        raise InvalidInput("file", problem) from error


def _require_distinct_labels(labels: Mapping[str, str]) -> None:
    folders: dict[str, list[str]] = defaultdict(list)
    for folder, label in labels.items():
        folders[label].append(folder)
    colliding = [f"{_quote_all(own)} all mean “{label}”" for label, own in sorted(folders.items()) if len(own) > 1]
    if colliding:
        listed = "; ".join(colliding[:_NAMED_IN_ERRORS])
        raise InvalidInput(
            "file", f"has several names for one label in its {FILE}: {listed}. Merge them, or correct the file"
        )


def _quote_all(names: Sequence[str]) -> str:
    return ", ".join(f"“{_escape(name)}”" for name in sorted(names)[:_NAMED_IN_ERRORS])


def _escape(name: str) -> str:
    """Escape what is not UTF-8, since JSON and file names need not be."""
    return name.encode("utf-8", "backslashreplace").decode()[:_MAX_SHOWN]


_EXAMPLE = 'write it as {"folder": "label"}'
