"""Files of images, and the file of labels that belongs to each: by what their names have in common, else by the number
of items in them. Files of the same content, such as one beside its .gz, count once.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import InvalidInput

from .source_item import parse_part

_WORDS = re.compile(r"[A-Za-z]+[0-9]*[A-Za-z]*|[^\W_]+")
_ROLES = frozenset({
    "images", "image", "imgs", "img", "x", "data", "labels", "label", "lbls", "lbl", "y", "targets", "target",
    "idx", "idx1", "idx3", "ubyte", "gz", "npz", "npy", "bin",
})  # fmt: skip
"""Words of a name that tell images from labels, or how they are stored."""


@dataclass(frozen=True, slots=True)
class ListFile:
    """A file of images or labels. count: of the items in it."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The names of a file of images and of the file with its labels. series: the words of both that name no part."""

    images: str
    labels: str
    series: str
    part: Part | None


def pair_files(
    images: Sequence[ListFile], labels: Sequence[ListFile], hash_content: Callable[[str], bytes]
) -> list[Pair]:
    """Return the pairs, in the order of the images. hash_content: of a file by its name; asked only if there may be
    copies. Raises InvalidInput for images without labels.
    """
    by_words: dict[tuple[str, ...], list[ListFile]] = defaultdict(list)
    for file in labels:
        by_words[_find_words(file.name)].append(file)
    named = {_find_words(file.name) for file in images}
    alone = [file for file in labels if _find_words(file.name) not in named]
    pairs = []
    for file in _drop_copies(images, hash_content):
        alike = by_words.get(_find_words(file.name)) or [other for other in alone if other.count == file.count]
        fitting = [other for other in alike if other.count == file.count] or alike
        different = list(_drop_copies(fitting, hash_content))
        if len(different) != 1:
            what = "several files that could be its labels" if different else "not its labels"
            raise InvalidInput(
                "file", f"has {file.name} but {what}; put them beside it, with a name that differs only so"
            )
        pairs.append(_to_pair(file.name, different[0].name))
    return pairs


def _drop_copies(files: Sequence[ListFile], hash_content: Callable[[str], bytes]) -> Iterator[ListFile]:
    """Yield one file of each content and part: what is in two parts is a leak, not a copy."""
    places = Counter((file.count, _find_part(file.name)) for file in files)
    seen: set[tuple[bytes, Part | None]] = set()
    for file in files:
        part = _find_part(file.name)
        if places[file.count, part] > 1:
            content = (hash_content(file.name), part)
            if content in seen:
                continue
            seen.add(content)
        yield file


def _to_pair(images: str, labels: str) -> Pair:
    return Pair(images, labels, find_series(images), _find_part(images))


def _find_part(name: str) -> Part | None:
    """Return the part that the last word of a file's name tells that tells one."""
    return next((part for word in reversed(_find_words(name)) if (part := parse_part(word)) is not None), None)


def find_series(name: str) -> str:
    """Return the words of a file's name that tell neither its part nor what is in it."""
    return " ".join(word for word in _find_words(name) if parse_part(word) is None)


def _find_words(name: str) -> tuple[str, ...]:
    """Return what a file of images and its labels have in common in their names, each word once."""
    words = dict.fromkeys(word.lower() for word in _WORDS.findall(name))
    return tuple(word for word in words if word not in _ROLES)
