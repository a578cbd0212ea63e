"""What a learner needs of the rooms around it: a process, and a folder for what that keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.models.online_status import Learning

ToDatasetRaster = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""(128, 128) -> (64, 64), as networks learn drawings."""


class LearnerProcess(Protocol):
    """A process that learns, and answers. send() is for one thread at a time, receive() for one other."""

    def send(self, facts: dict[str, Any], payload: bytes = b"") -> None:
        """Raises OSError once it has ended."""

    def receive(self) -> tuple[dict[str, Any], bytes] | None:
        """What it says next; None once it has ended. Raises ValueError for what makes no sense."""

    def end(self, grace_s: float) -> None:
        """Wait so long for it to end by itself, then end it."""


class LearnerRunner(Protocol):
    """Starts processes."""

    def require(self) -> None:
        """Raises Precondition if this installation cannot learn online."""

    def start(self, folder: Path) -> LearnerProcess:
        """A process whose last words are kept in the folder. Raises OSError."""


class LearnerFolders(Protocol):
    """Where learners keep what they can make again."""

    def make(self, workspace: str, learning: Learning) -> Path:
        """The folder of a workspace's learner, always the same one. Raises Exhausted."""

    def remove(self, folder: Path) -> None:
        """Never fails; what is left goes at the next start."""

    def keep_to(self, folders: Collection[Path]) -> None:
        """Remove all but these."""
