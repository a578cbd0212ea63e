"""What a page that listens on a port of somebody's machine must not allow.

- Another site's name that resolves to this machine (DNS rebinding): only known Host names are answered.
- Another site's forms and scripts (CSRF): whatever a browser sends must come from this page, by its Origin, its
fetch metadata and a
  token that only this page can read. Programs send none of these headers and need no token, but must send JSON.
- Foreign scripts: a content security policy without exceptions; the page has no inline script or style.
"""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, request

COOKIE = "haleganada_csrf"
HEADER = "X-CSRF-Token"
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def protect(app: Flask, allowed_hosts: frozenset[str]) -> None:
    """Check every request to an app, and add the headers to every answer."""
    known = _LOCAL | allowed_hosts

    @app.before_request
    def check() -> None:
        if _host_name(request.host) not in known:
            abort(421, f"this page does not answer to {request.host}; allow the name with --allow-host")
        g.csrf = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)
        if request.method not in _READING:
            _check_write()

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


def remember_token(response: Response) -> Response:
    """Set the cookie that a write's token is compared with."""
    response.set_cookie(COOKIE, g.csrf, samesite="Strict", httponly=True, secure=request.is_secure)
    return response


def _check_write() -> None:
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(403, "requests from other sites are refused")
    if site not in (None, "same-origin", "none"):
        abort(403, "requests from other sites are refused")
    if (origin or site) and not _has_token():
        abort(403, "the page's token is missing or old; load the page again")
    if not request.is_json and request.mimetype != "application/octet-stream":
        abort(415, "send JSON with Content-Type: application/json")


def _has_token() -> bool:
    sent, kept = request.headers.get(HEADER, ""), request.cookies.get(COOKIE, "")
    return bool(kept) and hmac.compare_digest(sent.encode(), kept.encode())


def _host_name(host: str) -> str:
    """Without the port; without the brackets of an IPv6 address."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
