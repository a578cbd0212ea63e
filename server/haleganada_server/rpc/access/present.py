"""Who makes the call that this thread carries out."""

from __future__ import annotations

from contextvars import ContextVar

from haleganada_server.core.access.identity import Identity
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import PermissionDenied
from haleganada_server.core.reading.options import ReadOptions

_present: ContextVar[Identity] = ContextVar("identity")


def set_identity(identity: Identity) -> None:
    """Note who makes the call that this thread begins. Each call begins with this, so nothing of the last one stays."""
    _present.set(identity)


def get_identity() -> Identity:
    """Return who makes the call. Raises LookupError in a thread that carries out none: it must be told."""
    return _present.get()


def find_identity() -> Identity | None:
    """Return who makes the call; None in a thread that carries out none, or one that everybody may make."""
    return _present.get(None)


def require_readable(identity: Identity, options: ReadOptions) -> None:
    """Raise PermissionDenied if a document is to be read by a workspace that the identity is not for."""
    if options.taught_workspace:
        require_workspace(identity, options.taught_workspace)


def require_workspace(identity: Identity, workspace: str) -> None:
    """Raise PermissionDenied unless the identity is for a workspace. workspace: its normalized name."""
    if not identity.may_use(workspace):
        raise PermissionDenied(
            f"the token of “{identity.name}” is not for the workspace “{workspace}”; name one that it is for, or ask "
            "the server's administrator",
            Reason.WORKSPACE_NOT_ALLOWED,
        )
