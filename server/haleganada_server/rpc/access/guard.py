"""What a call has to pass, before its message is taken and after: its token, its role, its rate, its workspace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import grpc

from haleganada_server.core.access.authentication import Authenticator, Grant
from haleganada_server.core.access.identity import Identity, Role
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import PermissionDenied
from haleganada_server.core.labels import workspace_name
from haleganada_server.core.shares.rates import Rate
from haleganada_server.rpc.caller import share_of, source_of

from .present import require_workspace, set_identity
from .rules import Rule

Note = Callable[[Identity, Any], None]
_KEY = "authorization"
_SCHEME = "bearer"
Metadata = Sequence[tuple[str, str | bytes]]


class Guard:
    """Lets callers use one method."""

    def __init__(
        self, authenticator: Authenticator, rule: Rule, note: Note | None = None, rate: Rate | None = None
    ) -> None:
        """note: keeps in the audit trail that a call was let in; None = nobody wants to know. rate: how many calls
        one caller may make; None = as many as they like.
        """
        self._authenticator, self._role, self._get_workspace = authenticator, rule.role, rule.get_workspace
        self._note, self._rate, self._batch = note, rate, rule.batch

    def identify(self, context: grpc.ServicerContext) -> Grant:
        """Return who calls. Raises Unauthenticated, Exhausted."""
        authenticator = self._authenticator
        shown = _find_token(context.invocation_metadata()) if authenticator.is_required else None
        return authenticator.identify(shown, "" if shown is None else _find_source(context.peer()))

    def admit(self, grant: Grant, context: grpc.ServicerContext) -> None:
        """Let a caller make the call, and note who it is for this thread. Raises PermissionDenied, Exhausted."""
        identity = grant.identity
        if identity.role < self._role:
            raise PermissionDenied(
                f"this needs the role {self._role.word}, and the token of “{identity.name}” has {identity.role.word}; "
                "ask the server's administrator for another one",
                Reason.ROLE_TOO_LOW,
            )
        if self._rate is not None and self._rate.is_bounded:
            self._rate.take(share_of(identity, context))
        set_identity(identity)

    def guess_caller(self, metadata: Metadata) -> str | None:
        """Return under which name a call counts for shares, as far as its metadata tell at once; else None. "" without
        tokens, because gRPC tells a caller's address to a thread of the call only.
        """
        if not self._authenticator.is_required:
            return ""
        grant = self._authenticator.recognize(_find_token(metadata))
        return grant.identity.name if grant is not None else None

    def check(self, grant: Grant, message: Any, context: grpc.ServicerContext) -> None:
        """Count the drawings of a batch, and raise PermissionDenied unless who calls may use the workspace that a
        message names, if it names one.
        """
        if self._batch and self._rate is not None and self._rate.is_bounded:
            self._rate.charge(share_of(grant.identity, context), max(0, len(getattr(message, self._batch)) - 1))
        allowed = grant.identity.workspaces
        if self._get_workspace is not None and allowed is not None:
            named = self._get_workspace(message)
            if named is not None and named not in allowed:  # else it need not be normalized, which takes microseconds
                require_workspace(grant.identity, workspace_name(named))
        if self._note is not None:
            self._note(grant.identity, message)


class Unguarded:
    """Lets everybody in: the guard of the health service, which those ask who watch over servers."""

    def guess_caller(self, metadata: Metadata) -> str | None:
        """Return None: nobody is known."""
        del metadata
        return None

    def identify(self, context: grpc.ServicerContext) -> Grant:
        """Return nobody in particular."""
        del context
        return _NOBODY

    def admit(self, grant: Grant, context: grpc.ServicerContext) -> None:
        """Allow every call."""

    def check(self, grant: Grant, message: Any, context: grpc.ServicerContext) -> None:
        """Allow every message."""


_NOBODY = Grant(Identity("", Role.READ, frozenset()))
ANY_ROLE = Rule(Role.READ)
"""For reflection, which is not part of the contract."""


def _find_source(peer: str) -> str:
    """Return the address whose wrong tokens are counted; "" for this machine, from which the page's users come all
    together: the page counts theirs.
    """
    source = source_of(peer)
    return "" if source.startswith(("127.", "unix")) or source == "[::1]" else source


def _find_token(metadata: Metadata) -> str | None:
    """Return the token of a call; None if there is none. What has another scheme is no token that could be right."""
    for key, value in metadata:
        if key == _KEY:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            scheme, _, token = text.partition(" ")
            return token.strip() if scheme.lower() == _SCHEME else text
    return None
