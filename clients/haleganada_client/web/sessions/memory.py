"""Sessions in the memory of this process."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from contextlib import AbstractContextManager
from dataclasses import dataclass

from .ports import MAX_SESSIONS, hash_number, is_over, new_number
from .tries import Tries


@dataclass(slots=True)
class _Session:
    token: str
    began: float  # monotonic clock
    used: float


class MemorySessions:
    """SessionStore of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()
        self._tries = Tries()
        self._key = secrets.token_bytes(32)

    def begin(self, token: str) -> str:
        number, now = new_number(), time.monotonic()
        with self._lock:
            self._forget_old(now)
            self._sessions[hash_number(number)] = _Session(token, now, now)
        return number

    def find(self, number: str) -> str | None:
        key, now = hash_number(number), time.monotonic()
        with self._lock:
            session = self._sessions.get(key)
            if session is None or is_over(now, session.began, session.used):
                self._sessions.pop(key, None)
                return None
            session.used = now
            self._sessions.move_to_end(key)
            return session.token

    def end(self, number: str) -> None:
        with self._lock:
            self._sessions.pop(hash_number(number), None)

    def one_try(self, address: str) -> AbstractContextManager[None]:
        return self._tries.one(address)

    def signing_key(self) -> bytes:
        return self._key

    def _forget_old(self, now: float) -> None:
        for key in [key for key, kept in self._sessions.items() if is_over(now, kept.began, kept.used)]:
            del self._sessions[key]
        while len(self._sessions) >= MAX_SESSIONS:
            self._sessions.popitem(last=False)
