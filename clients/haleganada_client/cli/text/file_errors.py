"""Why a file was refused, in words about the file: people know its name, and nothing of the fields of a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from haleganada_client.cli.layout import printable
from haleganada_client.errors import HaleganadaError
from haleganada_client.types import ItemError

_THE_FILE_ITSELF = ("file", "glyph", "image")


def why(error: ItemError) -> str:
    """What is wrong with an item, to be read behind its name. A field that is something else than it stays named."""
    if error.field.partition(".")[0] in _THE_FILE_ITSELF:
        return error.message.removeprefix(f"{error.field}: ")
    return error.message


@contextmanager
def said_of(name: str) -> Iterator[None]:
    """An error that is about the file of a request is about the file of this name."""
    try:
        yield
    except HaleganadaError as error:
        if error.field == "file":
            error.message = f"{printable(name)} {error.message.removeprefix('file: ')}"
        raise
