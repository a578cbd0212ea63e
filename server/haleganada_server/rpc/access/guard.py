"""What a call has to pass, before its message is taken and after: its token, its role, its workspace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import grpc

from haleganada_server.core.access.authentication import Authenticator, Grant
from haleganada_server.core.access.identity import Identity, Role
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import PermissionDenied
from haleganada_server.core.labels import workspace_name

from .present import require_workspace, set_identity
from .rules import Rule

Note = Callable[[Identity, Any], None]
_KEY = "authorization"
_SCHEME = "bearer"
_Metadata = Sequence[tuple[str, str | bytes]]


class Guard:
    """Lets callers use one method."""

    def __init__(self, authenticator: Authenticator, rule: Rule, note: Note | None = None) -> None:
        """note: keeps in the audit trail that a call was let in; None = nobody wants to know."""
        self._authenticator, self._role, self._get_workspace = authenticator, rule.role, rule.get_workspace
        self._note = note

    def admit(self, context: grpc.ServicerContext) -> Grant:
        """Return who calls, and note it for this thread. Raises Unauthenticated, PermissionDenied."""
        authenticator = self._authenticator
        shown = _find_token(context.invocation_metadata()) if authenticator.is_required else None
        grant = authenticator.identify(shown)
        identity = grant.identity
        if identity.role < self._role:
            raise PermissionDenied(
                f"this needs the role {self._role.word}, and the token of “{identity.name}” has {identity.role.word}; "
                "ask the server's administrator for another one",
                Reason.ROLE_TOO_LOW,
            )
        set_identity(identity)
        return grant

    def check(self, grant: Grant, message: Any) -> None:
        """Raise PermissionDenied unless who calls may use the workspace that a message names, if it names one."""
        allowed = grant.identity.workspaces
        if self._get_workspace is not None and allowed is not None:
            named = self._get_workspace(message)
            if named is not None and named not in allowed:  # else it need not be normalized, which takes microseconds
                require_workspace(grant.identity, workspace_name(named))
        if self._note is not None:
            self._note(grant.identity, message)


class Unguarded:
    """Lets everybody in: the guard of the health service, which those ask who watch over servers."""

    def admit(self, context: grpc.ServicerContext) -> Grant:
        """Return nobody in particular."""
        del context
        return _NOBODY

    def check(self, grant: Grant, message: Any) -> None:
        """Allow every message."""


_NOBODY = Grant(Identity("", Role.READ, frozenset()))
ANY_ROLE = Rule(Role.READ)
"""For reflection, which is not part of the contract."""


def _find_token(metadata: _Metadata) -> str | None:
    """Return the token of a call; None if there is none. What has another scheme is no token that could be right."""
    for key, value in metadata:
        if key == _KEY:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            scheme, _, token = text.partition(" ")
            return token.strip() if scheme.lower() == _SCHEME else text
    return None
