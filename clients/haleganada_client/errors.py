"""What can go wrong, as exceptions that say what to do; made from the google.rpc details that the server sends."""

from __future__ import annotations

from typing import Any, cast

import grpc


class HaleganadaError(Exception):
    """Base of all. reason: a stable word. field: the field that is wrong, or "". retry_after_s: None = do not retry."""

    def __init__(self, message: str, reason: str = "", field: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message, self.reason, self.field, self.retry_after_s = message, reason, field, retry_after_s


class InvalidInput(HaleganadaError):
    """A field of the request cannot be used."""


class NotFound(HaleganadaError):
    """There is no such workspace, sample, snapshot, prediction or model."""


class AlreadyExists(HaleganadaError):
    """The workspace exists, or the request_id was used for another request."""


class FailedPrecondition(HaleganadaError):
    """The state does not allow it."""


class RevisionMismatch(HaleganadaError):
    """The workspace moved on since the expected revision."""


class Exhausted(HaleganadaError):
    """No room or too busy now."""


class Unavailable(HaleganadaError):
    """The server cannot be reached, or is stopping."""


class DeadlineExceeded(HaleganadaError):
    """No answer in time."""


class NotAllowed(HaleganadaError):
    """The token is missing, wrong, or not allowed to do this."""


class DataLoss(HaleganadaError):
    """The workspace's file on the server cannot be read."""


class Internal(HaleganadaError):
    """Something went wrong in the server; its log has the details."""


BY_CODE: dict[int, type[HaleganadaError]] = {
    3: InvalidInput,
    4: DeadlineExceeded,
    5: NotFound,
    6: AlreadyExists,
    7: NotAllowed,
    8: Exhausted,
    9: FailedPrecondition,
    10: RevisionMismatch,
    14: Unavailable,
    15: DataLoss,
    16: NotAllowed,
}


def from_rpc(error: grpc.RpcError, target: str) -> HaleganadaError:
    """The exception for a failed call to `target`."""
    code: int = error.code().value[0]
    message, reason, field, retry = error.details() or "", "", "", None
    for detail in _details(error):
        reason = getattr(detail, "reason", reason)
        if violations := getattr(detail, "field_violations", None):
            field = violations[0].field
        if hasattr(detail, "retry_delay"):
            retry = detail.retry_delay.ToMilliseconds() / 1000
    if code == 14 and not reason:
        message = f"no server answers at {target}; start one with `haleganada serve`, or name another with --server"
    if code == 4:
        message = f"{target} gave no answer in time; try again, or allow more time with --timeout"
    return BY_CODE.get(code, Internal)(message, reason, field, retry)


def _details(error: grpc.RpcError) -> list[Any]:
    """The google.rpc details of a status. Imported late: most calls succeed, and a command line should start fast."""
    from google.rpc import error_details_pb2
    from grpc_status import rpc_status

    status = rpc_status.from_call(cast(grpc.Call, error))
    if status is None:
        return []
    known = [error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()]
    return [kind for packed in status.details for kind in known if packed.Unpack(kind)]
