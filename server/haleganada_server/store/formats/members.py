"""Reading members of a zip that a stranger made: bounded in number, in size and in how far they unpack."""

from __future__ import annotations

import zipfile

from haleganada_server.core.errors import InvalidInput

MAX_MEMBERS = 200_000
MAX_MEMBER_BYTES = 8 * 2**20


def check(file: zipfile.ZipFile) -> None:
    """Raises InvalidInput for a zip with too many members."""
    if len(file.infolist()) > MAX_MEMBERS:
        raise InvalidInput("file", f"has over {MAX_MEMBERS} files; split it")


def content(file: zipfile.ZipFile, name: str, limit: int = MAX_MEMBER_BYTES) -> bytes:
    """A member's bytes, at most `limit`, whatever its header says. Raises InvalidInput."""
    try:
        with file.open(name) as member:
            data = member.read(limit + 1)
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise InvalidInput("file", f"a file in the zip cannot be read ({type(error).__name__})") from None
    except Exception as error:  # zlib.error and its like for lzma and bz2 have no common base
        if type(error).__module__ not in ("zlib", "lzma", "_lzma", "bz2"):
            raise
        raise InvalidInput("file", "a file in the zip is damaged") from None
    if len(data) > limit:
        raise InvalidInput("file", f"a file in the zip has over {limit} bytes")
    return data
