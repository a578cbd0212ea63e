"""What online learning needs from other rooms: a process, and a folder for that process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.models.online_status import OnlineLearning

ToDatasetRaster = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""(128, 128) -> (64, 64), the rasters that networks are trained on."""


class LearnerProcess(Protocol):
    """A process that learns and predicts. send() is for one thread at a time, receive() for one other."""

    def send(self, fields: dict[str, Any], payload: bytes = b"") -> None:
        """Send a message. Raises OSError once the process has ended."""

    def receive(self) -> tuple[dict[str, Any], bytes] | None:
        """Return the next message; None once the process has ended. Raises ValueError for an invalid message."""

    def end(self, grace_s: float) -> None:
        """Give the process this time to end by itself, then kill it."""


class LearnerRunner(Protocol):
    """Starts processes."""

    def require(self) -> None:
        """Raises Precondition if this installation does not support online learning."""

    def start(self, folder: Path) -> LearnerProcess:
        """Start a process that logs to the folder. Raises OSError."""


class LearnerStore(Protocol):
    """Folders in which learners keep checkpoints, which can be rebuilt from the log."""

    def create(self, workspace: str, learning: OnlineLearning) -> Path:
        """Return the folder of a workspace's learner, always the same one, creating it if needed. Raises Exhausted."""

    def remove(self, folder: Path) -> None:
        """Remove a folder. Never fails: what remains is removed at the next start."""

    def retain(self, folders: Collection[Path]) -> None:
        """Remove all folders but these."""
