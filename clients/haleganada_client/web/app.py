"""The application factory: routes, security and errors around one client."""

from __future__ import annotations

import math
from collections.abc import Iterable

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from haleganada_client.client import HaleganadaClient
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

from . import datasets, jobs, models, page, rest, samples, transfers
from .security import protect

MAX_BODY = MAX_MESSAGE_BYTES  # a drawing as a data URL; imports have a limit of their own
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


def create_app(client: HaleganadaClient, allowed_hosts: Iterable[str] = ()) -> Flask:
    """Create the application that shows a server's pages.

    client: made in this process, after any fork; the caller closes it. allowed_hosts: names under which browsers may
    call, beside localhost and the loopback addresses.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["haleganada"] = client
    app.extensions["haleganada_uploads"] = datasets.upload_slots()
    protect(app, frozenset(allowed_hosts))
    for rooms in (page, samples, transfers, datasets, jobs, models, rest):
        app.register_blueprint(rooms.blueprint)
    app.register_error_handler(HaleganadaError, _handle_error)
    app.register_error_handler(HTTPException, _handle_http_error)
    return app


def _handle_error(error: HaleganadaError) -> tuple[Response, int]:
    answer = jsonify(success=False, error=error.message, reason=error.reason, field=error.field)
    if error.retry_after_s:
        answer.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    return answer, HTTP_STATUS.get(type(error), 500)


def _handle_http_error(error: HTTPException) -> tuple[Response, int]:
    reason = getattr(error, "reason", "") or error.name.upper().replace(" ", "_")
    message = _too_large() if isinstance(error, RequestEntityTooLarge) else error.description or error.name
    return jsonify(success=False, error=message, reason=reason, field=""), error.code or 500


def _too_large() -> str:
    most = (request.max_content_length or MAX_BODY) // 2**20
    return f"the request has over {most:,} MiB, which is all that is taken here; send a smaller picture or file"
