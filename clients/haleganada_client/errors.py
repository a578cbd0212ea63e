"""What can go wrong, as exceptions that say what to do; made from the google.rpc details that the server sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from haleganada_client.limits import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    import grpc


class HaleganadaError(Exception):
    """Base of all.

    message: one line for people: what is wrong and what to do. reason: a stable word in UPPER_SNAKE_CASE, or "".
    field: the field of the request that is wrong, or "". retry_after_s: when to try again; None = not said. call_id:
    under which the server's log has the call, or "".
    """

    def __init__(
        self, message: str, reason: str = "", field: str = "", retry_after_s: float | None = None, call_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message, self.reason, self.field = message, reason, field
        self.retry_after_s, self.call_id = retry_after_s, call_id


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
    """There is no room, or the server is too busy now."""


class Unavailable(HaleganadaError):
    """The server is stopping, the call was interrupted, or (reason NO_SERVER) there is no server at the address or no
    host of that name.

    The same call with the same request_id is safe to repeat.
    """


class DeadlineExceeded(HaleganadaError):
    """No answer in time; whether the server did what was asked is not known. Repeat with the same request_id."""


class NotAllowed(HaleganadaError):
    """The token is missing, wrong, or not allowed to do this."""


class DataLoss(HaleganadaError):
    """The workspace's file on the server cannot be read."""


class Internal(HaleganadaError):
    """Something went wrong in the server; its log has the details."""


NO_SERVER = "NO_SERVER"
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
    said = error.details() or ""
    details = _details(error)
    if not details.reason:
        return _of_grpc(code, said, target, details.field)
    kind = BY_CODE.get(code, Internal)
    return kind(said, details.reason, details.field, details.retry_after_s, details.call_id)


def _of_grpc(code: int, said: str, target: str, field: str) -> HaleganadaError:
    """A status without a reason is not the server's own word: gRPC made it, on either side."""
    kind = BY_CODE.get(code, Internal)
    if code == 4:
        return kind(f"{target} gave no answer in time; try again, or allow more time with --timeout")
    if code == 8 and "larger than max" in said:
        return InvalidInput(
            f"the call is larger than {MAX_MESSAGE_BYTES // 2**20} MiB; send fewer or smaller drawings at once"
        )
    if code == 12:
        return kind(f"the server at {target} does not know this call; it is older than this client, update it")
    if code == 1 and "Channel closed" in said:
        return Internal("the client was closed before the answer came")
    if code not in (1, 14):
        return kind(said or f"{target} failed without saying why", field=field)
    if "errors resolving" in said.lower() or "resolution" in said.lower():
        return kind(
            f"no host of the name in {target} is known; check its spelling, HOST:PORT, in --server or "
            "$HALEGANADA_TARGET",
            NO_SERVER,
        )
    if "failed to connect" in said.lower():
        return kind(
            f"no server answers at {target}; start one with `haleganada serve`, or name another with --server",
            NO_SERVER,
        )
    return kind(f"{target} broke the call off before it answered; see whether the server runs, then repeat the call")


def _details(error: grpc.RpcError) -> _Details:
    """Imported late: most calls succeed, and a command line should start fast."""
    from google.rpc import error_details_pb2
    from grpc_status import rpc_status

    found = _Details()
    try:
        status = rpc_status.from_call(cast("grpc.Call", error))
    except ValueError:  # its parts contradict each other; the code alone will do
        return found
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    for packed in status.details if status is not None else ():
        if packed.Unpack(info):
            found.reason, found.call_id = info.reason, info.metadata.get("call_id", "")
        elif packed.Unpack(bad) and bad.field_violations:
            found.field = bad.field_violations[0].field
        elif packed.Unpack(retry):
            found.retry_after_s = retry.retry_delay.ToMilliseconds() / 1000
    return found
