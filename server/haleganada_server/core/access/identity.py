"""Who calls: a name, a role, and the workspaces that it is for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from .addresses import network_of


class Role(IntEnum):
    """What a caller may do; each role includes those before it."""

    READ = 1
    """Recognize and look."""
    TEACH = 2
    """Change what a workspace knows."""
    TRAIN = 3
    """Use data sets, jobs and models, which belong to no workspace."""
    ADMIN = 4
    """Make and delete workspaces, and what cannot be taken back."""

    @property
    def word(self) -> str:
        """The role as it is typed and stored, for example "teach"."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role:
        """Return the role of a word. Raises KeyError."""
        return cls[word.upper()]


ROLE_WORDS = tuple(role.word for role in Role)


_NAMELESS = frozenset({"", "local"})  # of whoever calls without a token


@dataclass(frozen=True, slots=True)
class Identity:
    """name: of the token. workspaces: the normalized names that it is for; None = all."""

    name: str
    role: Role
    workspaces: frozenset[str] | None = None

    @property
    def has_token(self) -> bool:
        """Whether it is known who calls: the owner of a token."""
        return self.name not in _NAMELESS

    def may_use(self, workspace: str) -> bool:
        """Return whether the identity is for a workspace. workspace: its normalized name."""
        return self.workspaces is None or workspace in self.workspaces


LOCAL = Identity("local", Role.ADMIN)
"""Everybody, on a server without tokens."""
ENVIRONMENT = Identity("environment", Role.ADMIN)
"""Whoever has the token that the server found in its environment."""
RESERVED_NAMES = frozenset({LOCAL.name, ENVIRONMENT.name})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for a change. name: of the token; "" = not known, from before there were tokens. address: of the
    connection, "" = this process itself.
    """

    name: str
    address: str = ""

    @property
    def share(self) -> str:
        """Under which name it counts for shares: that of the token; without one, the address (see network_of)."""
        return network_of(self.address) if self.name in _NAMELESS else self.name

    def __str__(self) -> str:
        """Return the caller as logs keep it, NAME@ADDRESS. No address has an @, so that every name can be told."""
        return f"{self.name}@{self.address}"

    @classmethod
    def parse(cls, text: str) -> Caller:
        """Return the caller that a log has. Earlier versions wrote only the address."""
        name, _, address = text.rpartition("@")
        return cls(name, address)


LOCAL_CALLER = Caller(LOCAL.name)
