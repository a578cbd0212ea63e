"""The only writer of the data directory: logs, snapshots, exports, imports."""

from __future__ import annotations

from haleganada_server.store.workspaces.directory import DataDirectory

__all__ = ["DataDirectory"]
