"""The server's end of the pipe to a learner's process: requests with their replies, and all other messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.baton import without_baton
from haleganada_server.core.error_reasons import Reason

from .ports import LearnerProcess

Message = tuple[dict[str, Any], bytes]
"""Fields and payload."""


class ChildClient:
    """Exchanges messages with one process. Safe from any thread. start() it once, close() it once."""

    def __init__(
        self, process: LearnerProcess, on_message: Callable[[dict[str, Any]], None], on_end: Callable[[], None]
    ) -> None:
        """on_message: called with the fields of each message that is not a reply. on_end: called once the process sends
        nothing more. Both are called from the same thread.
        """
        self._process, self._on_message, self._on_end = process, on_message, on_end
        self._sending = threading.Lock()
        self._requesting = threading.Lock()  # guards the rest
        self._pending: dict[int, Future[Message | None]] = {}
        self._last_id = 0
        self._has_ended = False
        self._receiver = threading.Thread(target=self._receive, name="learner", daemon=True)

    @property
    def has_ended(self) -> bool:
        """True if the process sends nothing more."""
        return self._has_ended

    def start(self) -> None:
        """Start receiving messages."""
        self._receiver.start()

    def send(self, fields: dict[str, Any], payload: bytes = b"") -> None:
        """Raises OSError once the process has ended."""
        with self._sending:
            self._process.send(fields, payload)

    def request_probabilities(self, rasters: NDArray[np.uint8], timeout_s: float) -> Message | None:
        """Return the reply for (n, 64, 64) drawings; None if the process has ended. A process that does not reply in
        time is ended.
        """
        reply: Future[Message | None] = Future()
        with self._requesting:
            if self._has_ended:
                return None
            self._last_id += 1
            request_id = self._last_id
            self._pending[request_id] = reply
        try:
            with without_baton():
                self.send({"predict": request_id, "count": len(rasters)}, rasters.tobytes())
                return reply.result(timeout_s)
        except OSError:
            return None
        except TimeoutError:
            self._process.end(0)
            return None
        finally:
            with self._requesting:
                self._pending.pop(request_id, None)

    def close(self, grace_s: float) -> None:
        """Let the process save its state, then end it."""
        with suppress(OSError):
            self.send({"stop": True})
        self._process.end(grace_s)
        self._receiver.join()

    def _receive(self) -> None:
        try:
            while (message := self._process.receive()) is not None:
                self._dispatch(message)
        except ValueError as error:
            reason = f"the learner's process sent an invalid message: {error}"
            self._on_message({"failed": {"reason": Reason.INTERNAL, "message": reason}})
        finally:
            with self._requesting:
                self._has_ended = True
                pending = list(self._pending.values())
            for reply in pending:
                reply.set_result(None)
            self._on_end()

    def _dispatch(self, message: Message) -> None:
        if "reply" not in message[0]:
            self._on_message(message[0])
            return
        with self._requesting:
            reply = self._pending.pop(message[0]["reply"], None)  # None: the caller has given up
        if reply is not None:
            reply.set_result(message)
