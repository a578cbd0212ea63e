"""Looks at all workspaces once after the start, in the background, without keeping them in memory.

What lists show of them is known then, an unreadable one is found by its header, and samples that other weights embedded
are embedded again also where nobody asks: one workspace after another is loaded for that, so that a thousand of them
take no more memory than one.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable

from haleganada_server.core.errors import DataLoss, HaleganadaError, NotFound

from ..ports import LogOutline
from .registry import Registry

_POLL_S = 0.05
_JOIN_TIMEOUT_S = 10.0
_log = logging.getLogger(__name__)


class Survey:
    """One background thread. Safe from any thread. start() it once, close() it once."""

    def __init__(self, registry: Registry, outline: Callable[[str], LogOutline], retry_s: float = 10.0) -> None:
        """outline: returns what lists show of a workspace; raises as WorkspaceDirectory.outline does.
        retry_s: pause after an error of the machine.
        """
        self._registry, self._outline = registry, outline
        self._retry_s = retry_s
        self._names: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="survey", daemon=True)

    def add(self, names: Iterable[str]) -> None:
        """Look at these workspaces, after those that were added before."""
        for name in names:
            self._names.put(name)

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def close(self) -> None:
        """Stop soon; the rest is looked at after the next start."""
        self._stopping.set()
        self._names.put(None)
        if self._thread.is_alive():
            self._thread.join(_JOIN_TIMEOUT_S)

    def _work(self) -> None:
        while (name := self._names.get()) is not None and not self._stopping.is_set():
            start = time.monotonic()
            try:
                self._look_at(name)
            except (DataLoss, NotFound):
                pass  # lists show the former; it was deleted meanwhile
            except HaleganadaError as error:
                _log.warning("workspace %r: its samples may wait to be embedded: %s", name, error.message)
                self._names.put(name)
                self._stopping.wait(self._retry_s)
            except Exception:
                _log.exception("workspace %r cannot be looked at", name)
            # Half of the time, users' calls have the machine to themselves.
            self._stopping.wait(min(1.0, time.monotonic() - start))

    def _look_at(self, name: str) -> None:
        if self._outline(name).samples_to_embed == 0:
            return
        with self._registry.use(name) as workspace:
            while workspace.state.has_samples_to_embed() and not self._stopping.wait(_POLL_S):
                pass
