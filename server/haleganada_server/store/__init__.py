"""The only writer of the data directory: logs, snapshots, exports, imports."""

from __future__ import annotations

from .directory import DataDirectory

__all__ = ["DataDirectory"]
