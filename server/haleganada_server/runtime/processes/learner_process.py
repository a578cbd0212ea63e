"""Child processes that learn online with workspaces: they hold the network, because the server never imports torch.

Such a process runs in the server's session, so that the priorities of its threads count against the server's: its
learning thread has low priority, its replies do not.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..modules import require_modules
from .child_processes import prefer_as_oom_victim, torch_environment
from .frames import read_frame, write_frame

COMMAND = (sys.executable, "-m", "haleganada_server.training.online")
_LOG = "process.log"
_MAX_LOG = 1 << 20  # bytes; a longer log is deleted at the next start


class LearnerProcessRunner:
    """core.online.ports.LearnerRunner. needed: modules that such a process requires."""

    def __init__(self, command: Sequence[str] = COMMAND, needed: Sequence[str] = ("torch", "torchvision")) -> None:
        self._command, self._needed = tuple(command), tuple(needed)

    def require(self) -> None:
        require_modules(self._needed, "learn online")

    def start(self, folder: Path) -> LearnerSubprocess:
        log = folder / _LOG
        if log.exists() and log.stat().st_size > _MAX_LOG:
            log.unlink()
        with log.open("ab") as errors:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env=torch_environment(),
            )
        prefer_as_oom_victim(process.pid)
        return LearnerSubprocess(process)


class LearnerSubprocess:
    """core.online.ports.LearnerProcess."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def send(self, fields: dict[str, Any], payload: bytes = b"") -> None:
        assert self._process.stdin is not None
        try:
            write_frame(self._process.stdin, fields, payload)
        except ValueError as error:  # it was closed
            raise BrokenPipeError(str(error)) from error

    def receive(self) -> tuple[dict[str, Any], bytes] | None:
        assert self._process.stdout is not None
        frame = None
        try:
            frame = read_frame(self._process.stdout)
        finally:
            if frame is None:  # nothing follows
                self._process.stdout.close()
        return frame

    def end(self, grace_s: float) -> None:
        assert self._process.stdin is not None
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(OSError):
            self._process.stdin.close()
