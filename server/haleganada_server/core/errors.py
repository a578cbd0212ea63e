"""Everything that can go wrong for a caller, as one small family of exceptions.

The server's packages raise these; only rpc/errors.py knows which gRPC status each becomes. Every message tells its
reader what is wrong and what to do next. Messages contain no file paths and no tracebacks.
"""

from __future__ import annotations

from haleganada_server.core.error_reasons import Reason, StartReason


class HaleganadaError(Exception):
    """Base of all errors that are reported to a caller. reason: for programs, see error_reasons."""

    reason: Reason | StartReason = Reason.INTERNAL

    def __init__(self, message: str, reason: Reason | StartReason | None = None) -> None:
        super().__init__(message)
        self.message = message
        if reason is not None:
            self.reason = reason


class InvalidInput(HaleganadaError):
    """A field of the request cannot be used: not an image, a blank drawing, a bad label, a number out of range."""

    reason = Reason.INVALID_INPUT

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}")
        self.field = field
        self.description = description


class NotFound(HaleganadaError):
    """A workspace, sample, snapshot, prediction or model that does not exist, or no longer does."""

    def __init__(self, kind: str, name: str, hint: str = "") -> None:
        super().__init__(
            f"there is no {kind} “{name}”" + (f"; {hint}" if hint else ""), Reason(f"{kind.upper()}_NOT_FOUND")
        )
        self.kind = kind
        self.name = name


class AlreadyExists(HaleganadaError):
    """A workspace of that name exists, or a request_id was used before with another payload."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message, reason)


class Precondition(HaleganadaError):
    """The current state does not allow the call: nothing to undo, a wrong confirmation, a cycle of variants."""

    def __init__(self, message: str, reason: Reason | StartReason) -> None:
        super().__init__(message, reason)


class Unauthenticated(HaleganadaError):
    """The caller shows no token, or one that is not valid. Messages never contain it."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message, reason)


class PermissionDenied(HaleganadaError):
    """The caller is known, and may not do this, or not in this workspace."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message, reason)


class RevisionMismatch(HaleganadaError):
    """The workspace, or page, has changed since the revision that the caller expected."""

    reason = Reason.REVISION_MISMATCH

    def __init__(self, expected: int, actual: int, what: str = "workspace") -> None:
        super().__init__(f"the {what} is at revision {actual}, not {expected}; check its state, then repeat the call")
        self.expected = expected
        self.actual = actual


class Exhausted(HaleganadaError):
    """The disk, a queue or a quota is full. Nothing is half-written."""

    def __init__(self, message: str, reason: Reason, retry_after_s: float = 1.0) -> None:
        super().__init__(message, reason)
        self.retry_after_s = retry_after_s


class QuotaExceeded(Exhausted):
    """A workspace, or the server, has as many of something as it may. Nothing was done."""

    reason = Reason.QUOTA_EXCEEDED

    def __init__(self, message: str, retry_after_s: float = 30.0) -> None:
        super().__init__(message, Reason.QUOTA_EXCEEDED, retry_after_s)


class Unavailable(HaleganadaError):
    """The server is stopping, or temporarily unable. It is safe to repeat the call with the same request_id."""

    reason = Reason.STOPPING

    def __init__(self, message: str, reason: Reason | None = None, retry_after_s: float = 1.0) -> None:
        super().__init__(message, reason)
        self.retry_after_s = retry_after_s


class Cancelled(HaleganadaError):
    """Nobody needs the rest of the work, most often because the caller is gone. What was not committed by then is not
    done.
    """

    reason = Reason.CALLER_GONE

    def __init__(
        self,
        message: str = "the caller disconnected, so the call was ended; repeat it, with the same request_id it is safe",
        reason: Reason | None = None,
    ) -> None:
        super().__init__(message, reason)


class DeadlineExceeded(HaleganadaError):
    """The caller's deadline has passed. What was not committed by then is not done."""

    reason = Reason.DEADLINE_EXCEEDED

    def __init__(self) -> None:
        super().__init__(
            "the deadline passed before the work was done; send less in one call, or allow more time, and repeat it "
            "with the same request_id"
        )


class DataLoss(HaleganadaError):
    """A file of a workspace or model cannot be read. The others keep working."""

    reason = Reason.WORKSPACE_CORRUPT


ITEM_ERRORS = (InvalidInput, NotFound, AlreadyExists, Precondition, RevisionMismatch, QuotaExceeded)
"""Errors of a single item: others in the same batch or commit are not affected."""
