"""The name of each request, X-Request-Id: a proxy in front of the page may give it; the calls to the server bear it."""

from __future__ import annotations

from flask import Flask, Response, g, request

from haleganada_client.calls.call_ids import forget_call_id, set_call_id

HEADER = "X-Request-Id"


def name_requests(app: Flask) -> None:
    """Give each request to an app a name, and tell it with the answer."""

    @app.before_request
    def begin() -> None:
        g.call_id = set_call_id(request.headers.get(HEADER, ""))

    @app.after_request
    def tell(response: Response) -> Response:
        response.headers[HEADER] = g.call_id
        response.call_on_close(forget_call_id)  # until then the answer may still be made
        return response
