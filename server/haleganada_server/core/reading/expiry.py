"""Deletes readings that have expired."""

from __future__ import annotations

import logging
import threading

from .ports import ReadingStore

_LOOK_EVERY_S = 60.0
_log = logging.getLogger(__name__)


class ReadingExpiry:
    """A thread that looks now and then. start() it once, stop() it once."""

    def __init__(self, store: ReadingStore, every_s: float = _LOOK_EVERY_S) -> None:
        self._store, self._every_s = store, every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reading-expiry", daemon=True)

    def start(self) -> None:
        """Delete what has expired while the server was off, and go on from there."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._store.delete_expired()
            except Exception:  # of the disk; the next time may be better
                _log.exception("expired readings cannot be deleted")
            self._stopped.wait(self._every_s)
