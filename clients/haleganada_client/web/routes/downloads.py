"""Files that a server sends, on their way to a browser through a temporary file, so that none is held in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import BinaryIO, TypeVar, cast

Done = TypeVar("Done")


def fetch(write: Callable[[BinaryIO], Done]) -> tuple[BinaryIO, Done]:
    """Return an unnamed file that `write` has filled, at its start, and what `write` returned."""
    file = cast(BinaryIO, tempfile.TemporaryFile(prefix="haleganada-"))  # noqa: SIM115 - the response closes it
    try:
        done = write(file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file, done
