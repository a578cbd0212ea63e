"""Errors about a file, worded with its name: people know that, but not the fields of a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from haleganada_client.cli.formatting import printable
from haleganada_client.errors import HaleganadaError
from haleganada_client.types import ItemError

_FIELDS_OF_THE_FILE = ("document", "file", "glyph", "image")


def describe_file_error(error: ItemError | HaleganadaError) -> str:
    """Return what is wrong with a file, to follow its name. Fields other than the file itself are still named."""
    if error.field.partition(".")[0] in _FIELDS_OF_THE_FILE:
        return error.message.removeprefix(f"{error.field}: ")
    return error.message


@contextmanager
def name_file_in_errors(name: str) -> Iterator[None]:
    """Reword errors about the field `file` of a request as errors about the file of this name."""
    try:
        yield
    except HaleganadaError as error:
        if error.field == "file":
            error.message = f"{printable(name)} {error.message.removeprefix('file: ')}"
        raise
