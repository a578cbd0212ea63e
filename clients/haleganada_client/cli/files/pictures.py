"""Pictures on their way to a server: read one by one, sent in batches that fit into a call, answered in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from haleganada_client.limits import MAX_IMAGE_BYTES, MAX_MESSAGE_BYTES
from haleganada_client.types import ItemError

_MOST = 64
_MOST_BYTES = MAX_MESSAGE_BYTES * 3 // 4
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Picture:
    """A file that is meant. label, variant_of and inner name (below the label's folder) where it is to be taught."""

    name: str
    content: bytes
    label: str = ""
    inner_name: str = ""
    problem: ItemError | None = None
    """Why it cannot be sent; content is empty then."""


def read(path: Path, label: str = "", inner_name: str = "") -> Picture:
    """A file as a Picture; one that cannot be read or is too large has a problem instead of a content."""
    try:
        if path.stat().st_size > MAX_IMAGE_BYTES:
            return refused(str(path), f"is larger than {MAX_IMAGE_BYTES // 2**20} MiB; make the picture smaller")
        return Picture(str(path), path.read_bytes(), label, inner_name)
    except OSError as error:
        return refused(str(path), f"cannot be read: {error.strerror}")


def refused(name: str, why: str) -> Picture:
    """A Picture that is not sent."""
    return Picture(name, b"", problem=ItemError(3, "INVALID_INPUT", why, "image"))


def answered(
    pictures: Iterable[Picture], ask: Callable[[list[Picture]], list[Answer | ItemError]]
) -> Iterator[tuple[Picture, Answer | ItemError]]:
    """Each picture with its answer, in order. ask: sends up to 64 of them; those with a problem are not asked for."""
    for batch in _batches(pictures):
        sound = [picture for picture in batch if picture.problem is None]
        answers = iter(ask(sound) if sound else [])
        for picture in batch:
            yield picture, picture.problem or next(answers)


def _batches(pictures: Iterable[Picture]) -> Iterator[list[Picture]]:
    batch: list[Picture] = []
    total = 0
    for picture in pictures:
        if batch and (len(batch) == _MOST or total + len(picture.content) > _MOST_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(picture)
        total += len(picture.content)
    if batch:
        yield batch
