"""The tokens of a server, in DIR/access/tokens.json. Commands change the file beside a running server, which only reads
it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

from haleganada_server.core.access.identity import Role
from haleganada_server.core.access.tokens import Token
from haleganada_server.core.disk.checksum import seal, unseal
from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition

from . import files
from .audit import ACCESS_FOLDER, PRIVATE_FILE, lock_folder

_FILE = "tokens.json"
_FORMAT = 1
_BROKEN = (ValueError, KeyError, TypeError, AttributeError)


class TokenFile:
    """core.access.authentication.TokenSource on a file, and its changes."""

    def __init__(self, root: Path) -> None:
        """root: the data directory. Nothing is created before the first change."""
        self._folder = root / ACCESS_FOLDER
        self._path = self._folder / _FILE

    def stamp(self) -> Hashable:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def read(self) -> Sequence[Token]:
        """Return all tokens, the oldest first; none without a file. Raises Precondition for a file that is damaged or
        was written by a newer version, OSError for one that cannot be read.
        """
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            entry = unseal(stored)
            is_newer = entry["format"] > _FORMAT
            tokens = [] if is_newer else [_parse(fields) for fields in entry["tokens"]]
        except FileNotFoundError:
            return ()
        except _BROKEN:
            raise Precondition(
                f"the file of tokens, {ACCESS_FOLDER}/{_FILE} in the data directory, is damaged; put back a copy, or "
                "delete it and make new tokens",
                StartReason.TOKENS_UNUSABLE,
            ) from None  # the content of the file goes into no log
        if is_newer:
            raise Precondition(
                f"the file of tokens, {ACCESS_FOLDER}/{_FILE} in the data directory, was written by a newer version; "
                "update the server",
                StartReason.TOKENS_UNUSABLE,
            )
        return tokens

    def change(self, change: Callable[[Sequence[Token]], Sequence[Token]]) -> None:
        """Replace the tokens by what `change` makes of them. Nobody else changes them meanwhile. Raises as read(), and
        whatever `change` raises, having changed nothing.
        """
        with lock_folder(self._folder):
            tokens = change(self.read())
            entry = seal({"format": _FORMAT, "tokens": [_describe(token) for token in tokens]})
            unfinished = self._path.with_suffix(".new")
            unfinished.unlink(missing_ok=True)
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(entry, file, ensure_ascii=False, indent=1)
            files.move(unfinished, self._path)


def _describe(token: Token) -> dict[str, Any]:
    return {
        "token_id": token.token_id,
        "name": token.name,
        "role": token.role.word,
        "workspaces": token.workspaces,
        "created_us": token.created_us,
        "expires_us": token.expires_us,
        "revoked_us": token.revoked_us,
        "salt": token.salt.hex(),
        "scrypt": token.digest.hex(),
    }


def _parse(fields: dict[str, Any]) -> Token:
    return Token(
        token_id=str(fields["token_id"]),
        name=str(fields["name"]),
        role=Role.of(fields["role"]),
        workspaces=tuple(map(str, fields["workspaces"])),
        created_us=int(fields["created_us"]),
        expires_us=_optional_int(fields["expires_us"]),
        revoked_us=_optional_int(fields["revoked_us"]),
        salt=bytes.fromhex(fields["salt"]),
        digest=bytes.fromhex(fields["scrypt"]),
    )


def _optional_int(value: Any) -> int | None:
    return None if value is None else int(value)
