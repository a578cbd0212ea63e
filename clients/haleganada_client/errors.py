"""The exceptions of the SDK. Each says what to do; they are made from the google.rpc details that the server sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from haleganada_client.limits import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    import grpc

    from haleganada_client.types import ItemError


class HaleganadaError(Exception):
    """The base class of all errors.

    message: one line for people: what is wrong and what to do. reason: the name of an ErrorReason of the contract
    without its prefix, or "". field: the wrong field of the request, or "". retry_after_s: when to try again, or None.
    call_id: the call's id in the server's log, or "".
    """

    def __init__(
        self, message: str, reason: str = "", field: str = "", retry_after_s: float | None = None, call_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message, self.reason, self.field = message, reason, field
        self.retry_after_s, self.call_id = retry_after_s, call_id


class InvalidInput(HaleganadaError):
    """A field of the request cannot be used."""


class WrongType(InvalidInput, TypeError):
    """An argument is of a type that cannot be sent."""


class NotFound(HaleganadaError):
    """There is no such workspace, sample, snapshot, prediction, model, engine, reading or page."""


class AlreadyExists(HaleganadaError):
    """The name is taken, or the request_id was used for another request."""


class FailedPrecondition(HaleganadaError):
    """The current state does not allow it, for example because there is nothing to undo."""


class RevisionMismatch(HaleganadaError):
    """The workspace has changed since the expected revision."""


class Exhausted(HaleganadaError):
    """There is no room, or the server is too busy now."""


class Unavailable(HaleganadaError):
    """The server is stopping, the call was interrupted, or (reason NO_SERVER) there is no server at the address, no
    host of that name, or something else that the message describes: TLS, a certificate, a web page, a proxy.

    The same call with the same request_id is safe to repeat.
    """


class DeadlineExceeded(HaleganadaError):
    """There was no answer in time, and the server may have done it nevertheless. Repeat with the same request_id."""


class NotAllowed(HaleganadaError):
    """The token is missing, wrong, or not allowed to do this."""


class DataLoss(HaleganadaError):
    """The workspace's file on the server is damaged."""


class Internal(HaleganadaError):
    """Something went wrong in the server; its log has the details."""


NO_SERVER = "NO_SERVER"
READER_FAILED = "READER_FAILED"
RATE_EXCEEDED = "RATE_EXCEEDED"
NOT_UNICODE = "NOT_UNICODE"
"""A text contains half of a character, as what a program makes of bytes that are not UTF-8 does."""
BY_CODE: dict[int, type[HaleganadaError]] = {
    1: Unavailable,  # nobody here cancels calls, so the server did, at the end of its time to stop
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


@dataclass
class _Details:
    """What the google.rpc details of a status say."""

    reason: str = ""
    field: str = ""
    retry_after_s: float | None = None
    call_id: str = ""


def from_rpc(error: grpc.RpcError, target: str) -> HaleganadaError:
    """Return the exception for a failed call to `target`."""
    code: int = error.code().value[0]
    message = error.details() or ""
    details = _parse_details(error)
    if not details.reason:
        return _convert_grpc_error(code, message, target, details.field)
    kind = BY_CODE.get(code, Internal)
    return kind(message, details.reason, details.field, details.retry_after_s, details.call_id)


def from_item(error: ItemError) -> HaleganadaError:
    """Return the exception for an item that was refused, as a call for it alone would have raised it."""
    return BY_CODE.get(error.code, Internal)(error.message, error.reason, error.field)


def _convert_grpc_error(code: int, message: str, target: str, field: str) -> HaleganadaError:
    """Return the exception for a status without a reason, which comes from gRPC itself, on either side."""
    kind = BY_CODE.get(code, Internal)
    if code == 4:
        return kind(f"{target} gave no answer in time; try again, or allow more time with the setting timeout_s")
    if code == 8 and "larger than max" in message:
        return InvalidInput(
            f"the call is larger than {MAX_MESSAGE_BYTES // 2**20} MiB; send fewer or smaller drawings at once"
        )
    if "http2 header with status" in message:
        return Unavailable(f"a web server answers at {target}, not a Haleganada server; check HOST:PORT", NO_SERVER)
    if code == 12:
        return kind(f"the server at {target} does not know this call; it is older than this client, update it")
    if code == 1 and "Channel closed" in message:
        return Internal("the client was closed before the answer came")
    if code not in (1, 14):
        return kind(message or f"{target} failed without a message", field=field)
    if "errors resolving" in message.lower() or "resolution" in message.lower():
        return kind(
            f"the host name in {target} is unknown; check the spelling of HOST:PORT in the setting target or "
            "$HALEGANADA_TARGET",
            NO_SERVER,
        )
    if "failed to connect" in message.lower():
        return kind(
            f"no server answers at {target}; start one with `haleganada serve`, or name another with the setting "
            "target",
            NO_SERVER,
        )
    return kind(f"{target} ended the call before it answered; check that the server is running, then repeat the call")


def _parse_details(error: grpc.RpcError) -> _Details:
    """Parse the google.rpc details of a status. The imports are late, so that the command line starts fast."""
    from google.rpc import error_details_pb2
    from grpc_status import rpc_status

    details = _Details()
    try:
        status = rpc_status.from_call(cast("grpc.Call", error))
    except ValueError:  # inconsistent details; the code must do
        return details
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    for packed in status.details if status is not None else ():
        if packed.Unpack(info):
            details.reason, details.call_id = info.reason, info.metadata.get("call_id", "")
        elif packed.Unpack(bad) and bad.field_violations:
            details.field = bad.field_violations[0].field
        elif packed.Unpack(retry):
            details.retry_after_s = retry.retry_delay.ToMilliseconds() / 1000
    return details
