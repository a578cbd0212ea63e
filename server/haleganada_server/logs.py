"""The server's log: one line for each event, on standard error.

2026-01-31T12:00:00.123Z INFO rpc.interceptors method=Predict workspace="default" ms=2.31 status=OK
"""

from __future__ import annotations

import logging
import sys
import time


class OneLine(logging.Formatter):
    """Time in UTC, level, room, message; line breaks, tracebacks included, are written as \\n."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record).replace("haleganada_server.", "", 1)
        return line.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")


def start_log(level: str) -> None:
    """Write what is at least as grave as `level`: "debug", "info", "warning" or "error"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
