"""Answers as gzip, for browsers on slow lines.

Nothing secret stands beside text that another site could choose, so the length of an answer tells nothing.
"""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

_TYPES = frozenset({"text/html", "text/css", "text/javascript", "application/json", "image/svg+xml"})
_LEAST_BYTES = 1400  # less fits one packet anyway
_LEVEL = 5  # nearly as small as with 9, in a third of the time


def compress_answers(app: Flask) -> None:
    """Compress the answers of an app that are text, whole and worth it."""

    @app.after_request
    def compress(response: Response) -> Response:
        if response.mimetype not in _TYPES or response.headers.get("Content-Encoding"):
            return response
        response.vary.add("Accept-Encoding")
        if _is_worth_it(response):
            response.direct_passthrough = False  # a file of static/ is read here instead of being streamed
            response.set_data(gzip.compress(response.get_data(), _LEVEL, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
            if etag := response.get_etag()[0]:
                response.set_etag(etag, weak=True)  # other bytes, same content
        return response


def _is_worth_it(response: Response) -> bool:
    """Return whether an answer is complete, long enough and for somebody who takes gzip."""
    is_whole = response.status_code == 200 and request.method != "HEAD" and response.content_length is not None
    return is_whole and response.content_length >= _LEAST_BYTES and request.accept_encodings["gzip"] > 0
