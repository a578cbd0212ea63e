"""The server's log: one line per event, on standard error.

2026-01-31T12:00:00.123Z INFO rpc.interceptors method=Predict workspace="default" ms=2.31 status=OK
"""

from __future__ import annotations

import logging
import sys
import time


class OneLineFormatter(logging.Formatter):
    """Time in UTC, level, module, message; line breaks, also those of tracebacks, are written as \\n."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record).replace("haleganada_server.", "", 1)
        return line.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")


def configure_logging(level: str) -> None:
    """Log everything from `level` on: "debug", "info", "warning" or "error"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
