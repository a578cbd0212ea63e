"""The streams that are open, each with who opened it, so that a stream does not outlive its token."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from haleganada_server.core.access.authentication import Authenticator, Grant
from haleganada_server.core.errors import HaleganadaError, Unauthenticated

GiveUp = Callable[[HaleganadaError], None]


class OpenStreams:
    """Safe from any thread."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._lock = threading.Lock()
        self._open: dict[int, tuple[Grant, GiveUp]] = {}

    @contextmanager
    def one(self, grant: Grant, give_up: GiveUp) -> Iterator[None]:
        """Watch a stream for the block. give_up: ends it; called again and again while it is still there."""
        entry = (grant, give_up)
        with self._lock:
            self._open[id(entry)] = entry
        try:
            yield
        finally:
            with self._lock:
                del self._open[id(entry)]

    def end_invalid(self) -> None:
        """End the streams of callers who would not be let in any more."""
        with self._lock:
            entries = list(self._open.values())
        for grant, give_up in entries:
            try:
                self._authenticator.require_valid(grant)
            except Unauthenticated as error:
                give_up(error)
