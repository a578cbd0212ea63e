"""The two pipes between the server and the process that learns: frames in, frames out.

Whatever else is printed, by whatever library, goes to standard error, so that no stray byte gets between two frames.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, BinaryIO

from haleganada_server.runtime.frames import read_frame, write_frame
from haleganada_server.training.common.job_channel import ABANDONED

Frame = tuple[dict[str, Any], bytes]


class Pipe:
    """Takes over this process's standard streams, for good. say() from any thread, hear() from one."""

    def __init__(self, heard: BinaryIO, said: BinaryIO) -> None:
        self._heard, self._said = heard, said
        self._lock = threading.Lock()

    @staticmethod
    def taken() -> Pipe:
        """The pipes of this process."""
        sys.stdout.flush()
        said = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        return Pipe(os.fdopen(os.dup(0), "rb"), said)

    def say(self, facts: dict[str, Any], payload: bytes = b"") -> None:
        """Send one frame. Ends the process if nobody reads."""
        try:
            with self._lock:
                write_frame(self._said, facts, payload)
        except BrokenPipeError:
            os._exit(ABANDONED)

    def hear(self) -> Frame:
        """The next frame. Ends the process if the server is gone. Raises ValueError for what is none."""
        frame = read_frame(self._heard)
        if frame is None:
            os._exit(ABANDONED)  # without waiting for the thread that learns
        return frame
