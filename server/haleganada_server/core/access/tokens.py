"""Tokens: what is shown, what is kept of it, and how the two are compared.

A token is hlg_<id>_<secret>. The id finds the entry, so that one comparison is enough; the secret has 192 random bits,
of which only a hash is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field, replace

from haleganada_server.core.clock import now_us
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.labels import normalize_label

from .identity import RESERVED_NAMES, Identity, Role

_PREFIX = "hlg"
_ID_BYTES, _SECRET_BYTES, _SALT_BYTES, _DIGEST_BYTES = 4, 24, 16, 32
# The cost of a hash is there to slow down who tries out secrets that people choose. These are random numbers of 192
# bits, which nobody tries out at any cost; so the least is enough at which scrypt still needs its megabyte (about 3
# milliseconds), and who sends wrong tokens keeps the server busy for no longer.
_COST, _BLOCK, _PARALLEL = 2**10, 8, 1
MIN_SHARED_LENGTH = 22  # characters of a token that somebody else made: 128 bits, if they are random
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is kept of a token. workspaces: normalized names; () = all. created_us, expires_us, revoked_us: microseconds
    since 1970 UTC; None = never. digest: of the secret with the salt.
    """

    token_id: str
    name: str
    role: Role
    workspaces: tuple[str, ...]
    created_us: int
    expires_us: int | None
    revoked_us: int | None
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def identity(self) -> Identity:
        """Return whom the token stands for."""
        return Identity(self.name, self.role, frozenset(self.workspaces) or None)

    def is_expired(self, at_us: int) -> bool:
        """Return whether its time is over."""
        return self.expires_us is not None and self.expires_us <= at_us

    def is_usable(self, at_us: int) -> bool:
        """Return whether it is neither expired nor revoked."""
        return self.revoked_us is None and not self.is_expired(at_us)

    def matches(self, secret: str) -> bool:
        """Return whether this is the token's secret, in a time that does not depend on how much of it is right."""
        return hmac.compare_digest(_hash(secret, self.salt), self.digest)

    def revoke(self) -> Token:
        """Return the token as it is after being revoked."""
        return replace(self, revoked_us=now_us())

    def expire(self, at_us: int) -> Token:
        """Return the token with another end."""
        return replace(self, expires_us=at_us)


def make_token(name: str, role: Role, workspaces: tuple[str, ...], days: float | None) -> tuple[Token, str]:
    """Return a new token, and what its owner shows, which is known only now. days: until it expires; None = never.
    Raises InvalidInput for names that cannot be.
    """
    name, at_us = normalize_label(name, "name"), now_us()
    if name in RESERVED_NAMES:
        raise InvalidInput("name", f"“{name}” stands for something else; choose another name")
    token_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    salt = secrets.token_bytes(_SALT_BYTES)
    token = Token(
        token_id=token_id,
        name=name,
        role=role,
        workspaces=tuple(sorted({normalize_label(workspace, "workspace") for workspace in workspaces})),
        created_us=at_us,
        expires_us=None if days is None else at_us + int(days * DAY_US),
        revoked_us=None,
        salt=salt,
        digest=_hash(secret, salt),
    )
    return token, f"{_PREFIX}_{token_id}_{secret}"


def split_token(shown: str) -> tuple[str, str] | None:
    """Return the id and the secret of what a caller shows; None if it is no token."""
    prefix, _, rest = shown.partition("_")
    token_id, _, secret = rest.partition("_")
    return (token_id, secret) if prefix == _PREFIX and token_id and secret else None


def _hash(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        secret.encode("utf-8", "surrogateescape"), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL, dklen=_DIGEST_BYTES
    )
