"""Protection of a page that listens on a port of a user's machine.

- Against host names of other sites that resolve to this machine (DNS rebinding): only known Host names are answered.
- Against forms and scripts of other sites (CSRF): what a browser sends must come from this page, according to its
  Origin, its fetch metadata and a token that only this page can read. A cookie holds the token, too; a browser that
  keeps no cookies must send one that the page has signed. Browsers always send one of the first two with a write.
  Programs send neither and need no token, but must send JSON, which a form of another site cannot; only routes that
  change nothing also take forms.
- Against foreign scripts: a content security policy that allows scripts and styles of this site, and within a page only
  those whose hashes it names (allow_inline).
- Against other sites that read responses: no CORS header is ever sent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

COOKIE = "haleganada_csrf"
HEADER = "X-CSRF-Token"
_KEY = "haleganada_signing_key"
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_TYPES = frozenset({"application/json", "application/octet-stream"})  # neither can be sent by a foreign form
_FORM, _FORM_ROUTES = "multipart/form-data", "ocr"  # a blueprint
_POLICY = (
    "default-src 'none'; script-src 'self'{script}; style-src 'self'{style}; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class RequestRefused(HTTPException):
    """A request that may be an attack. reason: a stable word, as in HaleganadaError."""

    def __init__(self, code: int, reason: str, description: str) -> None:
        super().__init__(description)
        self.code, self.reason = code, reason


def protect(app: Flask, allowed_hosts: frozenset[str], signing_key: Callable[[], bytes]) -> None:
    """Check every request to an app, and add the headers to every answer.

    allowed_hosts: names, without port, that are answered beside localhost and the loopback addresses. signing_key:
    returns a secret of the page, within a request.
    """
    app.extensions[_KEY] = signing_key
    known = _LOCAL | {name.lower() for name in allowed_hosts}

    @app.before_request
    def check() -> None:
        if _host_name(request.host) not in known:
            problem = f"the host name “{request.host}” is not allowed here; allow it with --allow-host"
            raise RequestRefused(421, "HOST_UNKNOWN", problem)
        if request.method not in _READING:
            _check_sender()
            _check_type()

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.update(_HEADERS)
        response.headers["Content-Security-Policy"] = _make_policy()
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def allow_inline(kind: Literal["script", "style"], text: str) -> None:
    """Let the browser use a text that stands in the page that is being made, by its hash."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    g.setdefault("inline", []).append((kind, f" 'sha256-{digest}'"))


def _make_policy() -> str:
    sources = {"script": "", "style": ""}
    for kind, source in g.get("inline", []):
        sources[kind] += source
    return _POLICY.format(**sources)


def give_token() -> str:
    """Return the token that writes from this browser must carry; remember_token keeps it there."""
    nonce = secrets.token_urlsafe(24)
    g.csrf = request.cookies.get(COOKIE) or f"{nonce}.{_sign(nonce)}"
    return str(g.csrf)


def remember_token(response: Response) -> Response:
    """Set the cookie that the token of a write is compared with."""
    response.set_cookie(COOKIE, g.csrf, samesite="Strict", httponly=True, secure=request.is_secure)
    return response


def _check_sender() -> None:
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise RequestRefused(403, "FOREIGN_ORIGIN", "requests from other sites are refused")
    if site not in (None, "same-origin"):
        raise RequestRefused(403, "FOREIGN_ORIGIN", "requests from other sites are refused")
    if (origin or site) and not _has_token():
        raise RequestRefused(403, "PAGE_OUTDATED", "the page's token is missing or outdated; reload the page")


def _check_type() -> None:
    """Require JSON (or, for an import, a file); a program may leave out both body and type."""
    if request.mimetype == _FORM and request.blueprint == _FORM_ROUTES:
        return
    if request.mimetype not in _TYPES and (request.mimetype or request.content_length):
        raise RequestRefused(415, "NOT_JSON", "send JSON, with the header Content-Type: application/json")


def _has_token() -> bool:
    sent, kept = request.headers.get(HEADER, ""), request.cookies.get(COOKIE, "")
    if kept:
        return hmac.compare_digest(sent.encode(), kept.encode())
    nonce, _, signature = sent.partition(".")
    return hmac.compare_digest(signature.encode(), _sign(nonce).encode())


def _sign(nonce: str) -> str:
    return hmac.new(current_app.extensions[_KEY](), nonce.encode(), hashlib.sha256).hexdigest()


def _host_name(host: str) -> str:
    """Return the name in lower case, without the port and without the brackets of an IPv6 address."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
