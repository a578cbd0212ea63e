"""The server's log: one line per event, on standard error, as text or as JSON.

2026-01-31T12:00:00.123Z INFO rpc.calls.record method=Predict caller="" address=127.0.0.1 workspace="default" ms=2.31
code=OK call_id=3f2a90c1b7d4
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from typing import Any, Literal

LogFormat = Literal["text", "json"]

_PACKAGE = "haleganada_server."
_QUOTED = ("caller", "workspace")  # which others choose
_quote = json.JSONEncoder(ensure_ascii=False).encode
_PLACES = re.compile(r'File "[^"\n]*?[\\/](?=(?:haleganada_server|site-packages|python3\.\d+)[\\/])')
_TOKENS = re.compile(r"(hlg_[0-9a-f]{8}_)[\w-]{16,}")
"""As core.access.tokens makes them. The first part finds a token in a list, and lets nobody in."""


class LogFields(dict[str, Any]):
    """An event in named values, which is passed to a logger in place of a message. As text, key=value."""

    def __str__(self) -> str:
        return " ".join(f"{key}={_quote(value) if key in _QUOTED else value}" for key, value in self.items())


class OneLineFormatter(logging.Formatter):
    """Time in UTC, level, module, message; line breaks, also those of tracebacks, are written as \\n."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record).replace(_PACKAGE, "", 1)
        return _hide_tokens(line.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n"))

    def formatException(self, ei: Any) -> str:  # noqa: N802  # logging's name
        """Return a traceback without the folders that the server is installed in."""
        return _PLACES.sub('File "', super().formatException(ei))


class JsonFormatter(OneLineFormatter):
    """One JSON object a line: time, level, logger and message, or an event's own values; exception: a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name.removeprefix(_PACKAGE),
        }
        event |= record.msg if isinstance(record.msg, LogFields) else {"message": record.getMessage()}
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return _hide_tokens(_quote(event))


def _hide_tokens(line: str) -> str:
    """Return a line without the secrets of tokens, which somebody may have given as the name of a workspace."""
    return _TOKENS.sub(r"\1…", line) if "hlg_" in line else line


def configure_logging(level: str, log_format: LogFormat = "text") -> None:
    """Log everything from `level` on: "debug", "info", "warning" or "error"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else OneLineFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
