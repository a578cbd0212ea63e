"""A workspace that exists on disk, whether it is in memory or not."""

from __future__ import annotations

import threading

from haleganada_server.core.errors import DataLoss
from haleganada_server.core.knowledge.knowledge import Knowledge

from ..ports import LogOutline
from ..workspace import Workspace


class Entry:
    """What a server knows of one workspace.

    lock: held while the workspace is loaded, unloaded, replaced or deleted; everything but `pins` changes under it.
    workspace: None unless loaded. pins: one for each use in progress, which keeps it loaded; a list, because appending
    and popping are atomic. last_use: greater than that of every use before. size: bytes of memory that it counts for.
    weighed: the state that the size was taken from. damage: why the file cannot be read. outline: what lists show while
    the workspace is not loaded, as far as that is known. is_deleted: it no longer exists.
    """

    __slots__ = ("damage", "is_deleted", "last_use", "lock", "name", "outline", "pins", "size", "weighed", "workspace")

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.workspace: Workspace | None = None
        self.pins: list[None] = []
        self.last_use = 0
        self.size = 0
        self.weighed: Knowledge | None = None
        self.damage: DataLoss | None = None
        self.outline: LogOutline | None = None
        self.is_deleted = False

    def require_readable(self) -> None:
        """Raise DataLoss if the file is known to be unreadable."""
        if self.damage is not None:  # a new exception each time: a kept one would keep the frames that it passed
            raise DataLoss(self.damage.message, self.damage.reason)
