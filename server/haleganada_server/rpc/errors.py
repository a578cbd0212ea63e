"""The one table from domain errors to gRPC statuses, and the google.rpc details that go with them.

An error of the machine that nobody has translated is translated here. Whatever else is not in the domain's family is a
fault of the server: INTERNAL with a fixed text and the id under which the log has the rest.
"""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from haleganada.v1 import common_pb2

from haleganada_server.core import errors
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.machine_errors import to_machine_error

DOMAIN = "haleganada"
STATUS_OF: Mapping[type[errors.HaleganadaError], grpc.StatusCode] = {
    errors.HaleganadaError: grpc.StatusCode.INTERNAL,
    errors.InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.Precondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.RevisionMismatch: grpc.StatusCode.ABORTED,
    errors.Exhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.QuotaExceeded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.Cancelled: grpc.StatusCode.CANCELLED,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.DataLoss: grpc.StatusCode.DATA_LOSS,
}

_LONGEST_MESSAGE = 1000  # characters; details travel in a header, which is small


def code_of(error: Exception) -> grpc.StatusCode:
    """Return the status code of an error."""
    error = to_machine_error(error) or error
    return STATUS_OF[type(error)] if isinstance(error, errors.HaleganadaError) else grpc.StatusCode.INTERNAL


def reason_of(error: Exception) -> str:
    """Return the contract's reason of an error."""
    error = to_machine_error(error) or error
    return str(error.reason.value if isinstance(error, errors.HaleganadaError) else Reason.INTERNAL.value)


def status_of(error: Exception, call_id: str) -> Status:
    """Return the full status of a failed call. call_id: names the call in the server's log."""
    error = to_machine_error(error) or error
    if not isinstance(error, errors.HaleganadaError):
        error = errors.HaleganadaError(f"the server failed; its log has the reason under call {call_id}")
    status = Status(code=_get_code_number(error), message=_shorten_message(error))
    info = ErrorInfo(reason=error.reason, domain=DOMAIN, metadata={"call_id": call_id, **_make_metadata(error)})
    for detail in (info, *_make_details(error)):
        status.details.add().Pack(detail)
    return status


def item_error(error: Exception) -> common_pb2.ItemError:
    """Return why one item of a batch or an import was refused."""
    error = to_machine_error(error) or error
    if not isinstance(error, errors.HaleganadaError):
        error = errors.HaleganadaError("the server failed on this item; its log has the reason")
    field = error.field if isinstance(error, errors.InvalidInput) else ""
    return common_pb2.ItemError(
        code=_get_code_number(error), reason=error.reason, message=_shorten_message(error), field=field
    )


def _get_code_number(error: errors.HaleganadaError) -> int:
    number: int = code_of(error).value[0]
    return number


def _shorten_message(error: errors.HaleganadaError) -> str:
    return error.message[:_LONGEST_MESSAGE]


def _make_metadata(error: errors.HaleganadaError) -> dict[str, str]:
    """Return what a program may want to know about an error, for ErrorInfo.metadata."""
    if isinstance(error, errors.NotFound):
        return {"kind": error.kind, "name": error.name[:_LONGEST_MESSAGE]}
    if isinstance(error, errors.RevisionMismatch):
        return {"expected_revision": str(error.expected), "revision": str(error.actual)}
    return {}


def _make_details(error: errors.HaleganadaError) -> list[Message]:
    if isinstance(error, errors.InvalidInput):
        violation = BadRequest.FieldViolation(field=error.field, description=error.description[:_LONGEST_MESSAGE])
        return [BadRequest(field_violations=[violation])]
    if isinstance(error, (errors.Exhausted, errors.Unavailable)):
        seconds = error.retry_after_s
        return [RetryInfo(retry_delay=Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9)))]
    return []
