"""The two pipes between the server and a job's process: reports out, one word in.

Reports are JSON, one a line. Everything else that is printed, by whatever library, goes to standard error, so that no
stray line is taken for a report.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, TextIO

ABANDONED = 3
"""Exit status of a process whose server is gone."""


class JobChannel:
    """Takes over this process's standard streams, for good."""

    def __init__(self, reports: TextIO, silent: bool = False) -> None:
        self._reports, self._silent = reports, silent
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    @staticmethod
    def take_over(silent: bool = False) -> JobChannel:
        """The channel of this process. silent: it neither reports nor listens, as one of several that are not first."""
        sys.stdout.flush()
        reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        channel = JobChannel(reports, silent)
        if not silent:
            threading.Thread(target=channel._listen, daemon=True).start()
        return channel

    def report(self, message: dict[str, Any]) -> None:
        """Send one line; numbers that JSON does not know are refused with ValueError. Leaves if nobody reads."""
        if self._silent:
            return
        line = json.dumps(message, ensure_ascii=False, allow_nan=False)
        try:
            with self._lock:
                self._reports.write(line + "\n")
                self._reports.flush()
        except BrokenPipeError:
            os._exit(ABANDONED)

    def cancelled(self) -> bool:
        """True once the server asked to finish up."""
        return self._cancelled.is_set()

    def _listen(self) -> None:
        """Wait for the word; when the pipe ends, the server is gone, and the checkpoint is there for the next one."""
        heard = b""
        while more := os.read(0, 4096):  # not sys.stdin, whose lock a waiting thread would hold when the process ends
            heard += more
            *lines, heard = heard.split(b"\n")
            if b"cancel" in lines:
                self._cancelled.set()
        os._exit(ABANDONED)
