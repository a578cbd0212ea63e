"""Who is logged in: each browser has a session, each session a token, each token a client that shows it.

A token is typed once, on the login page, and stays in this process: the browser keeps a random number that stands for
it, for some hours at most. Programs without a browser send their token with each request instead. Whom a web server in
front names (single_sign_on.py) needs neither.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace

from flask import Response, current_app, g, request

from haleganada_client.client import HaleganadaClient

from .single_sign_on import SingleSignOn
from .tries import Tries

COOKIE = "haleganada_session"
_LONGEST_S = 12 * 3600.0
_IDLE_S = 2 * 3600.0
_MAX_SESSIONS = 1_000
_MAX_CLIENTS = 64  # each has a connection
_ID_BYTES = 32


@dataclass(slots=True)
class _Session:
    token: str
    began: float  # monotonic clock
    used: float

    def is_over(self, now: float) -> bool:
        return now - self.began > _LONGEST_S or now - self.used > _IDLE_S


class Sessions:
    """The sessions of a page. Safe from any thread."""

    def __init__(self, anonymous: HaleganadaClient, single_sign_on: SingleSignOn | None = None) -> None:
        """anonymous: how to reach the server. Its own token is for nobody else, so it is not shown. single_sign_on: who
        else tells who is there.
        """
        self._single_sign_on = single_sign_on
        self._lock = threading.Lock()
        self._config = replace(anonymous.config, token="")
        self._anonymous = HaleganadaClient(config=self._config) if anonymous.config.token else anonymous
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()
        self._clients: OrderedDict[str, HaleganadaClient] = OrderedDict()
        self._tries = Tries()

    def client(self) -> HaleganadaClient:
        """Return the client for the present request: that of its session or of the token that it brings, or one
        without a token. Raise NotAllowed for a user who has none, and for a token that the server does not let in,
        Exhausted for an address with too many of these.
        """
        signed_on = self._single_sign_on.find_token() if self._single_sign_on else None
        if signed_on is not None:
            return self._client_of(signed_on)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return self._recognize(token.strip())
        session = self._find()
        if session is None:
            return self._anonymous
        g.shows_token_of_session = True
        return self._client_of(session.token)

    def is_logged_in(self) -> bool:
        """Return whether the present request belongs to a session."""
        return self._find() is not None

    def log_in(self, token: str, response: Response) -> None:
        """Begin a session, if the server lets the token in. Raises NotAllowed, InvalidInput, Exhausted for an address
        with too many wrong tokens, and what a call raises.
        """
        self._try(token)
        self.log_out(response)  # a number that somebody else may have put there is never taken over
        number, now = secrets.token_urlsafe(_ID_BYTES), time.monotonic()
        with self._lock:
            self._forget_old(now)
            self._sessions[_hash(number)] = _Session(token, now, now)
        response.set_cookie(
            COOKIE, number, max_age=int(_LONGEST_S), httponly=True, samesite="Strict", secure=request.is_secure
        )

    def log_out(self, response: Response) -> None:
        """End the session of the present request, if it has one."""
        with self._lock:
            self._sessions.pop(_hash(request.cookies.get(COOKIE, "")), None)
        response.delete_cookie(COOKIE, httponly=True, samesite="Strict", secure=request.is_secure)

    def end_refused(self, response: Response) -> None:
        """End the session of the present request if it was the session's token that the server has refused: nobody is
        logged in with a token that was revoked or has expired.
        """
        if g.get("shows_token_of_session"):
            self.log_out(response)

    def _recognize(self, token: str) -> HaleganadaClient:
        """Return the client that shows a token of a program. The first time, the server is asked whether it lets the
        token in, so that nobody tries out tokens where nobody counts them.
        """
        with self._lock:
            is_known = token in self._clients
        if not is_known:
            self._try(token)
        return self._client_of(token)

    def _try(self, token: str) -> None:
        """Raise NotAllowed unless the server lets a token in, Exhausted for an address with too many wrong ones, and
        what a call raises.
        """
        with (
            self._tries.one(request.remote_addr or ""),
            HaleganadaClient(config=replace(self._config, token=token)) as client,
        ):
            client.list_workspaces()

    def _find(self) -> _Session | None:
        number, now = request.cookies.get(COOKIE, ""), time.monotonic()
        if not number:
            return None
        key = _hash(number)
        with self._lock:
            session = self._sessions.get(key)
            if session is None or session.is_over(now):
                self._sessions.pop(key, None)
                return None
            session.used = now
            self._sessions.move_to_end(key)
            return session

    def _forget_old(self, now: float) -> None:
        for key in [key for key, session in self._sessions.items() if session.is_over(now)]:
            del self._sessions[key]
        while len(self._sessions) >= _MAX_SESSIONS:
            self._sessions.popitem(last=False)

    def _client_of(self, token: str) -> HaleganadaClient:
        """Return the client that shows a token. One that is left out is closed when its last request lets go of it."""
        with self._lock:
            client = self._clients.get(token)
            if client is None:
                client = self._clients[token] = HaleganadaClient(config=replace(self._config, token=token))
            self._clients.move_to_end(token)
            while len(self._clients) > _MAX_CLIENTS:
                self._clients.popitem(last=False)
            return client


def sessions() -> Sessions:
    """Return those of the present application."""
    found = current_app.extensions["haleganada_sessions"]
    assert isinstance(found, Sessions)
    return found


def _hash(number: str) -> bytes:
    """Return what a session is kept by: to look up a hash tells nothing about the numbers that are there."""
    return hashlib.sha256(number.encode("utf-8", "surrogatepass")).digest()
