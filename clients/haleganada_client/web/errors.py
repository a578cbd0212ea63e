"""Errors as answers: each of the SDK's has a status of HTTP, and a body that says what to do."""

from __future__ import annotations

import math
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from haleganada_client.calls.call_ids import get_call_id
from haleganada_client.errors import (
    AlreadyExists,
    DeadlineExceeded,
    Exhausted,
    FailedPrecondition,
    HaleganadaError,
    InvalidInput,
    NotAllowed,
    NotFound,
    RevisionMismatch,
    Unavailable,
)
from haleganada_client.limits import MAX_MESSAGE_BYTES

from .sessions import sessions
from .single_sign_on import find_signed_on_user

MAX_BODY = MAX_MESSAGE_BYTES  # a drawing as a data URL; files have limits of their own
HTTP_STATUS: dict[type[HaleganadaError], int] = {
    InvalidInput: 400,
    NotAllowed: 403,
    NotFound: 404,
    AlreadyExists: 409,
    FailedPrecondition: 409,
    RevisionMismatch: 409,
    Exhausted: 429,
    Unavailable: 503,
    DeadlineExceeded: 504,
}
"""What is not here, a corrupt workspace or an unforeseen error, is a 500."""


def status_of(error: HaleganadaError) -> int:
    """Return the status of HTTP for an error."""
    if isinstance(error, NotAllowed) and error.reason.startswith("TOKEN_") and not find_signed_on_user():
        return 401  # another token may help, so the page asks for one
    return next((status for kind, status in HTTP_STATUS.items() if isinstance(error, kind)), 500)


def register(app: Flask) -> None:
    """Answer errors of all routes of an application."""
    app.register_error_handler(HaleganadaError, _handle_error)
    app.register_error_handler(HTTPException, _handle_http_error)


def describe(error: HaleganadaError) -> dict[str, Any]:
    """Return the body of the answer to an error."""
    return {
        "success": False,
        "error": error.message,
        "reason": error.reason,
        "field": error.field,
        "call_id": error.call_id or get_call_id(),
    }


def _handle_error(error: HaleganadaError) -> tuple[Response, int]:
    answer = jsonify(describe(error))
    if error.retry_after_s:
        answer.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    status = status_of(error)
    if status == 401:
        sessions().end_refused(answer)
    return answer, status


def _handle_http_error(error: HTTPException) -> tuple[Response, int]:
    reason = getattr(error, "reason", "") or error.name.upper().replace(" ", "_")
    message = _too_large() if isinstance(error, RequestEntityTooLarge) else error.description or error.name
    answer = jsonify(success=False, error=message, reason=reason, field="", call_id=get_call_id())
    return answer, error.code or 500


def _too_large() -> str:
    most = (request.max_content_length or MAX_BODY) // 2**20
    return f"the request has over {most:,} MiB, which is all that is taken here; send a smaller picture or file"
