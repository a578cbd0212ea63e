"""Files that a server sends, on their way to a browser through a temporary file, so that none is held in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import BinaryIO, TypeVar, cast

Done = TypeVar("Done")


def fetched(write: Callable[[BinaryIO], Done]) -> tuple[BinaryIO, Done]:
    """What `write` puts into an open file without a name, ready to be read from its start, and what it returns."""
    file = cast(BinaryIO, tempfile.TemporaryFile(prefix="haleganada-"))  # noqa: SIM115 - the response closes it
    try:
        done = write(file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file, done
