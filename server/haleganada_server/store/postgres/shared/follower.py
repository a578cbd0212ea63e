"""Asks every second what other servers have changed, besides the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from haleganada_server.core.errors import HaleganadaError

_LOOK_S = 1.0
_JOIN_S = 10.0
_log = logging.getLogger(__name__)


class Follower:
    """A thread. start() and stop() it once."""

    def __init__(self, look: Callable[[], object], interval_s: float = _LOOK_S) -> None:
        """look: called every so many seconds, whatever error it raises."""
        self._look, self._interval_s = look, interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow-objects", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _follow(self) -> None:
        while not self._stopping.wait(self._interval_s):
            try:
                self._look()
            except HaleganadaError as error:  # the next look tries again
                _log.info("what other servers have changed is not known yet: %s", error.message)
            except Exception:
                _log.exception("what other servers have changed cannot be followed")
