"""One call in the log and in the latencies."""

from __future__ import annotations

import json
import logging
import secrets
import time
from typing import Any

import grpc
from grpc_status import rpc_status

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.rpc.errors import code_of, reason_of, status_of
from haleganada_server.rpc.metrics import Latencies

_log = logging.getLogger(__name__)
_quote = json.JSONEncoder(ensure_ascii=False).encode


class CallRecord:
    """Measures one call, and writes its line of log."""

    __slots__ = ("_has_begun", "_latencies", "_method", "_started", "_workspace", "caller")

    def __init__(self, method: str, latencies: Latencies | None) -> None:
        """latencies: None for a call that is neither measured nor logged."""
        self._method = method
        self._workspace = ""
        self.caller = ""
        self._latencies = latencies
        self._has_begun = False
        self._started = time.perf_counter()

    def begin(self, request: Any = None) -> None:
        """The call's work begins now: what it waited before is not the method's."""
        self._workspace = getattr(request, "workspace", "")
        now = time.perf_counter()
        if self._latencies is not None:
            self._latencies.waits.add(now - self._started)
        self._has_begun, self._started = True, now

    def succeeded(self) -> None:
        """The call was answered."""
        self._end("OK")

    def cancelled(self) -> None:
        """The caller is gone."""
        self._end("CANCELLED")

    def failed(self, error: Exception) -> grpc.Status:
        """Return the status that the call ends with. See refused."""
        return self._fail(error, is_timed=self._has_begun)

    def refused(self, error: Exception) -> grpc.Status:
        """Return the status of a call that was not let in, or was given up: its duration is not the method's."""
        return self._fail(error, is_timed=False)

    def _fail(self, error: Exception, *, is_timed: bool) -> grpc.Status:
        """Return the status that the call ends with.

        The error itself must not be kept beyond its handler: its traceback contains the frame that would hold it, so
        both, and all pictures in between, would live until the next garbage collection.
        """
        call_id, status = secrets.token_hex(6), code_of(error).name
        if not isinstance(error, HaleganadaError):
            _log.error("%s status=%s call=%s", self._line(), status, call_id, exc_info=error)
        elif self._latencies is not None:
            _log.info("%s status=%s reason=%s call=%s", self._line(), status, error.reason, call_id)
        self._count(status, is_timed=is_timed)
        if self._latencies is not None:
            self._latencies.add_error(reason_of(error))
        ending: grpc.Status = rpc_status.to_status(status_of(error, call_id))
        return ending

    def _end(self, status: str) -> None:
        if self._latencies is not None:
            self._count(status, is_timed=self._has_begun)
            if _log.isEnabledFor(logging.INFO):
                _log.info("%s status=%s", self._line(), status)

    def _count(self, status: str, *, is_timed: bool) -> None:
        if self._latencies is None:
            return
        if is_timed:
            self._latencies.add(self._method, self._milliseconds(), status)
        else:
            self._latencies.add_unstarted(self._method, status)

    def _line(self) -> str:
        workspace = _quote(self._workspace[:64] or "default")
        caller = _quote(self.caller)
        return f"method={self._method} caller={caller} workspace={workspace} ms={self._milliseconds():.2f}"

    def _milliseconds(self) -> float:
        return (time.perf_counter() - self._started) * 1000
