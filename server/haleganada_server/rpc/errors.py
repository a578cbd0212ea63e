"""One table: which gRPC status each domain error becomes, with google.rpc details for programs and a sentence for
people.
"""

from __future__ import annotations

from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from haleganada.v1 import common_pb2

from haleganada_server.core import errors

DOMAIN = "haleganada"
INTERNAL_MESSAGE = "something went wrong in the server; its log has the details"

STATUS: dict[type[errors.HaleganadaError], int] = {
    errors.InvalidInput: code_pb2.INVALID_ARGUMENT,
    errors.NotFound: code_pb2.NOT_FOUND,
    errors.AlreadyExists: code_pb2.ALREADY_EXISTS,
    errors.Precondition: code_pb2.FAILED_PRECONDITION,
    errors.RevisionMismatch: code_pb2.ABORTED,
    errors.Exhausted: code_pb2.RESOURCE_EXHAUSTED,
    errors.Unavailable: code_pb2.UNAVAILABLE,
    errors.DataLoss: code_pb2.DATA_LOSS,
}


def to_status(error: Exception) -> status_pb2.Status:
    """The google.rpc.Status of an error. What is no domain error becomes INTERNAL with a fixed text: no details
    leak.
    """
    if not isinstance(error, errors.HaleganadaError) or type(error) not in STATUS:
        return status_pb2.Status(code=code_pb2.INTERNAL, message=INTERNAL_MESSAGE, details=[_info("INTERNAL")])
    details = [_info(error.reason)]
    if isinstance(error, errors.InvalidInput):
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=error.description)
        details.append(_packed(error_details_pb2.BadRequest(field_violations=[violation])))
    if isinstance(error, (errors.Exhausted, errors.Unavailable)):
        details.append(_packed(_retry(getattr(error, "retry_after_s", 1.0))))
    return status_pb2.Status(code=STATUS[type(error)], message=error.message, details=details)


def to_item_error(error: Exception) -> common_pb2.ItemError:
    """The error of one item of a batch."""
    status = to_status(error)
    reason = error.reason if isinstance(error, errors.HaleganadaError) else "INTERNAL"
    field = error.field if isinstance(error, errors.InvalidInput) else ""
    return common_pb2.ItemError(code=status.code, reason=reason, message=status.message, field=field)


def _info(reason: str) -> any_pb2.Any:
    return _packed(error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN))


def _retry(seconds: float) -> error_details_pb2.RetryInfo:
    delay = duration_pb2.Duration()
    delay.FromMilliseconds(round(seconds * 1000))
    return error_details_pb2.RetryInfo(retry_delay=delay)


def _packed(
    message: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
