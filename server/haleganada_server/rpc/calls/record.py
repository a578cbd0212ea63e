"""One call in the log and in the latencies."""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar
from typing import Any

import grpc
from grpc_status import rpc_status

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.logs import LogFields
from haleganada_server.rpc.caller import address_of
from haleganada_server.rpc.errors import code_of, reason_of, status_of
from haleganada_server.rpc.metrics import CallSpan, Latencies

from .call_ids import find_call_id

_log = logging.getLogger(__name__)
_LONGEST_NAME = 64


class CallRecord:
    """Measures one call, and writes its line of log."""

    __slots__ = (
        "_call_id",
        "_context",
        "_has_begun",
        "_latencies",
        "_method",
        "_span",
        "_started",
        "_workspace",
        "caller",
    )

    def __init__(self, method: str, latencies: Latencies | None, context: grpc.ServicerContext) -> None:
        """latencies: None for a call that is neither measured nor logged."""
        self._method = method
        self._workspace = self._call_id = ""
        self.caller = ""
        """The name that who calls has by a token."""
        self._latencies = latencies
        self._context: grpc.ServicerContext | None = context
        self._has_begun = False
        self._span: CallSpan | None = None
        self._started = time.perf_counter()

    @property
    def call_id(self) -> str:
        """The call's name in logs, errors and jobs."""
        if not self._call_id:
            self._call_id = find_call_id(self._context.invocation_metadata() if self._context is not None else ())
        return self._call_id

    def begin(self, request: Any = None) -> None:
        """The call's work begins now, in this thread: what it waited before is not the method's."""
        self._workspace = getattr(request, "workspace", "")
        _present.set(self)
        now = time.perf_counter()
        if self._latencies is not None:
            self._latencies.waits.add(now - self._started)
            if self._latencies.begin_span is not None and self._context is not None:
                self._span = self._latencies.begin_span(self._method, self._context.invocation_metadata())
        self._has_begun, self._started = True, now

    def note_success(self) -> None:
        """Note that the call was answered."""
        self._end("OK")

    def note_cancellation(self) -> None:
        """Note that the caller is gone."""
        self._end("CANCELLED")

    def note_failure(self, error: Exception) -> grpc.Status:
        """Note an error; return the status that the call ends with. See note_refusal."""
        return self._fail(error, is_timed=self._has_begun)

    def note_refusal(self, error: Exception) -> grpc.Status:
        """Return the status of a call that was not let in, or was given up: its duration is not the method's."""
        return self._fail(error, is_timed=False)

    def _fail(self, error: Exception, *, is_timed: bool) -> grpc.Status:
        """Return the status that the call ends with.

        The error itself must not be kept beyond its handler: its traceback contains the frame that would hold it, so
        both, and all pictures in between, would live until the next garbage collection.
        """
        call_id, code, reason = self.call_id, code_of(error).name, reason_of(error)
        if not isinstance(error, HaleganadaError):
            _log.error(self._describe(code, reason), exc_info=error)
        elif self._latencies is not None and _log.isEnabledFor(logging.INFO):
            _log.info(self._describe(code, reason))
        self._count(code, is_timed=is_timed)
        if self._latencies is not None:
            self._latencies.add_error(reason)
        self._leave(code)
        ending: grpc.Status = rpc_status.to_status(status_of(error, call_id))
        return ending

    def _end(self, code: str) -> None:
        if self._latencies is not None:
            self._count(code, is_timed=self._has_begun)
            if _log.isEnabledFor(logging.INFO):
                _log.info(self._describe(code))
        self._leave(code)

    def _leave(self, code: str) -> None:
        if self._span is not None:
            self._span.end(code, self.call_id)
        self._span = self._context = None  # or the request would be kept until the next call of this thread

    def _count(self, code: str, *, is_timed: bool) -> None:
        if self._latencies is None:
            return
        if is_timed:
            self._latencies.add(self._method, self._milliseconds(), code)
        else:
            self._latencies.add_unstarted(self._method, code)

    def _describe(self, code: str, reason: str = "") -> LogFields:
        return LogFields(
            method=self._method,
            caller=self.caller,
            address=address_of(self._context.peer()) if self._context is not None else "",
            workspace=self._workspace[:_LONGEST_NAME] or "default",
            ms=round(self._milliseconds(), 2),
            code=code,
            **({"reason": reason} if reason else {}),
            call_id=self.call_id,
        )

    def _milliseconds(self) -> float:
        return (time.perf_counter() - self._started) * 1000


_present: ContextVar[CallRecord | None] = ContextVar("record", default=None)


def get_call_id() -> str:
    """Return the id of the call that this thread carries out; "" if it carries out none."""
    record = _present.get()
    return record.call_id if record is not None else ""
