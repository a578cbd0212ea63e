"""The two pipes between the server and a job's process: reports go out, a cancellation comes in.

Each report is one line of JSON. Whatever else is printed, by any library, goes to standard error, so that no stray line
is mistaken for a report.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, TextIO

ABANDONED = 3
"""Exit status of a process that has lost its server."""


class JobChannel:
    """Sends reports on this process's standard output and receives cancellation on its standard input."""

    def __init__(self, reports: TextIO, silent: bool = False) -> None:
        self._reports, self._silent = reports, silent
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    @staticmethod
    def take_over(silent: bool = False) -> JobChannel:
        """Redirect this process's standard streams for good. silent: neither report nor listen, as ranks above 0 do."""
        sys.stdout.flush()
        reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        channel = JobChannel(reports, silent)
        if not silent:
            threading.Thread(target=channel._listen, daemon=True).start()
        return channel

    def report(self, message: dict[str, Any]) -> None:
        """Send one line. Raises ValueError for NaN and infinities; exits the process if the server is gone."""
        if self._silent:
            return
        line = json.dumps(message, ensure_ascii=False, allow_nan=False)
        try:
            with self._lock:
                self._reports.write(line + "\n")
                self._reports.flush()
        except BrokenPipeError:
            os._exit(ABANDONED)

    def is_cancelled(self) -> bool:
        """Return whether the server has asked the job to stop."""
        return self._cancelled.is_set()

    def _listen(self) -> None:
        """Wait for a cancellation. If the pipe closes, the server is gone; the next one resumes from the checkpoint."""
        received = b""
        while chunk := os.read(0, 4096):  # a thread waiting in sys.stdin would hold its lock at exit
            received += chunk
            *lines, received = received.split(b"\n")
            if b"cancel" in lines:
                self._cancelled.set()
        os._exit(ABANDONED)
