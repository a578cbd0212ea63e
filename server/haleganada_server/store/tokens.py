"""The tokens of a server, in DIR/access/tokens.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from haleganada_server.core.access.identity import Role
from haleganada_server.core.access.tokens import Token
from haleganada_server.core.error_reasons import StartReason

from .access_file import AccessFile
from .audit import ACCESS_FOLDER

_FORMAT = 1


class TokenFile(AccessFile[Sequence[Token]]):
    """All tokens, also expired and revoked ones, the oldest first; none without a file."""

    def __init__(self, root: Path) -> None:
        """root: the data directory."""
        advice = "put back a copy, or delete it and make new tokens"
        path = root / ACCESS_FOLDER / "tokens.json"
        super().__init__(path, _FORMAT, _parse_all, _describe_all, (advice, StartReason.TOKENS_UNUSABLE))


def _describe_all(tokens: Sequence[Token]) -> Mapping[str, Any]:
    return {"tokens": [_describe(token) for token in tokens]}


def _parse_all(fields: Mapping[str, Any]) -> Sequence[Token]:
    return [_parse(entry) for entry in fields["tokens"]] if fields else ()


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
