"""The two pipes between the server and the process that learns: frames in, frames out.

Everything else that is printed, by whatever library, goes to standard error, so that no stray byte gets between two
frames.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, BinaryIO

from haleganada_server.runtime.processes.frames import read_frame, write_frame
from haleganada_server.training.common.job_channel import ABANDONED

Message = tuple[dict[str, Any], bytes]
"""Fields and payload."""


class Pipe:
    """Takes over this process's standard streams for good. send() from any thread, receive() from one."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._lock = threading.Lock()

    @staticmethod
    def take_over() -> Pipe:
        """Take over this process's pipes."""
        sys.stdout.flush()
        outgoing = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        return Pipe(os.fdopen(os.dup(0), "rb"), outgoing)

    def send(self, fields: dict[str, Any], payload: bytes = b"") -> None:
        """Send a message. Ends the process if nobody reads."""
        try:
            with self._lock:
                write_frame(self._outgoing, fields, payload)
        except BrokenPipeError:
            os._exit(ABANDONED)

    def receive(self) -> Message:
        """Return the next message. Ends the process if the server is gone. Raises ValueError for invalid bytes."""
        message = read_frame(self._incoming)
        if message is None:
            os._exit(ABANDONED)  # without waiting for the thread that learns
        return message
