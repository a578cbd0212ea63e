"""Who is logged in: each browser has a session, each session a token, each token a client that shows it.

A token is typed once, on the login page, and stays in this process, or in a file that several processes of the page
share: the browser keeps a random number that stands for it, for some hours at most. Programs without a browser send
their token with each request instead. Whom a web server in front names (single_sign_on.py) needs neither.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace

from flask import Response, current_app, g, request

from haleganada_client.client import HaleganadaClient
from haleganada_client.errors import FailedPrecondition
from haleganada_client.web.single_sign_on import SingleSignOn

from .memory import MemorySessions
from .ports import LONGEST_S, SessionStore
from .shared import SharedSessions, sessions_path

COOKIE = "haleganada_session"
_MAX_CLIENTS = 64  # each has a connection


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
        self._clients: OrderedDict[str, HaleganadaClient] = OrderedDict()
        self._memory = MemorySessions()
        self._shared = SharedSessions(sessions_path(), self._config.target)

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
        kept = self._find()
        if kept is None:
            return self._anonymous
        g.shows_token_of_session = True
        return self._client_of(kept)

    def is_logged_in(self) -> bool:
        """Return whether the present request belongs to a session."""
        return self._find() is not None

    def log_in(self, token: str, response: Response) -> None:
        """Begin a session, if the server lets the token in. Raises NotAllowed, InvalidInput, Exhausted for an address
        with too many wrong tokens, FailedPrecondition where processes cannot share sessions, and what a call raises.
        """
        self._try(token)
        self.log_out(response)  # a number that somebody else may have put there is never taken over
        number = self._store().begin(token)
        response.set_cookie(
            COOKIE, number, max_age=int(LONGEST_S), httponly=True, samesite="Strict", secure=request.is_secure
        )

    def log_out(self, response: Response) -> None:
        """End the session of the present request, if it has one. Raises FailedPrecondition if that cannot be noted."""
        response.delete_cookie(COOKIE, httponly=True, samesite="Strict", secure=request.is_secure)
        if number := request.cookies.get(COOKIE):
            self._store().end(number)

    def end_refused(self, response: Response) -> None:
        """End the session of the present request if it was the session's token that the server has refused: nobody is
        logged in with a token that was revoked or has expired.
        """
        if g.get("shows_token_of_session"):
            with suppress(FailedPrecondition):  # the server refuses the token at all processes
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
            self._store().one_try(request.remote_addr or ""),
            HaleganadaClient(config=replace(self._config, token=token)) as client,
        ):
            client.list_workspaces()

    def signing_key(self) -> bytes:
        """Return a secret of the page, the same in all its processes if they can share one."""
        try:
            return self._store().signing_key()
        except FailedPrecondition:  # who keeps cookies, as browsers do, needs no signature
            return self._memory.signing_key()

    def _store(self) -> SessionStore:
        """Return what keeps the sessions of the present request's web server."""
        return self._shared if request.environ.get("wsgi.multiprocess") else self._memory

    def _find(self) -> str | None:
        """Return the token of the present request's session, None if it has none, or if that cannot be told: then the
        login page says why.
        """
        number = request.cookies.get(COOKIE, "")
        with suppress(FailedPrecondition):
            return self._store().find(number) if number else None
        return None

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
