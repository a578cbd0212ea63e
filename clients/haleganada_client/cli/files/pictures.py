"""Pictures to send to a server: read one at a time, sent in batches that fit into one call, answered in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from haleganada_client.limits import MAX_IMAGE_BYTES, MAX_MESSAGE_BYTES
from haleganada_client.types import ItemError

_MAX_BATCH = 64
_MAX_BATCH_BYTES = MAX_MESSAGE_BYTES * 3 // 4
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Picture:
    """A picture file. label and inner_name, its path below the label's folder, are set if it is to be taught."""

    name: str
    content: bytes
    label: str = ""
    inner_name: str = ""
    problem: ItemError | None = None
    """Why it cannot be sent; content is empty then."""


def load_picture(path: Path, label: str = "", inner_name: str = "") -> Picture:
    """Read a file. A file that cannot be read or is too large becomes a Picture with a problem and no content."""
    try:
        if path.stat().st_size > MAX_IMAGE_BYTES:
            return refuse_picture(str(path), f"is larger than {MAX_IMAGE_BYTES // 2**20} MiB; make the picture smaller")
        return Picture(str(path), path.read_bytes(), label, inner_name)
    except OSError as error:
        return refuse_picture(str(path), f"cannot be read: {error.strerror}")


def refuse_picture(name: str, reason: str) -> Picture:
    """Return a Picture that will not be sent, for that reason."""
    return Picture(name, b"", problem=ItemError(3, "INVALID_INPUT", reason, "image"))


def send_in_batches(
    pictures: Iterable[Picture], send: Callable[[list[Picture]], list[Answer | ItemError]]
) -> Iterator[tuple[Picture, Answer | ItemError]]:
    """Yield each picture with its answer, or with its problem, in order.

    send: sends up to 64 pictures and returns their answers; it gets no pictures with a problem.
    """
    for batch in _batches(pictures):
        sound = [picture for picture in batch if picture.problem is None]
        answers = iter(send(sound) if sound else [])
        for picture in batch:
            yield picture, picture.problem or next(answers)


def _batches(pictures: Iterable[Picture]) -> Iterator[list[Picture]]:
    batch: list[Picture] = []
    batch_bytes = 0
    for picture in pictures:
        if batch and (len(batch) == _MAX_BATCH or batch_bytes + len(picture.content) > _MAX_BATCH_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(picture)
        batch_bytes += len(picture.content)
    if batch:
        yield batch
