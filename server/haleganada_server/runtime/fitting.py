"""Running a network on a device that may lack memory or fail, without losing a drawing.

A batch that does not fit is tried in halves; what does not fit even alone is computed elsewhere, on the CPU, and so is
what a device fails to compute. After a minute all is tried again as before: another program may have taken the memory
for a while.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.float32]  # (n, 1, side, side), 0..1
Vectors = NDArray[np.float32]  # (n, d)
Run = Callable[[Ink], Vectors]

_REST_S = 60.0
_log = logging.getLogger(__name__)


class OutOfDeviceMemory(Exception):
    """A batch did not fit into the memory of a device."""


class DeviceFailed(Exception):
    """A device failed for another reason, which is the cause."""


class FittingRunner:
    """Runs a network in batches that fit. Safe from any thread, although one is enough."""

    def __init__(
        self, name: str, run: Run, run_elsewhere: Run, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """name: of the device, for people. run: raises OutOfDeviceMemory, or DeviceFailed. run_elsewhere: gives the
        same, more slowly. most: drawings of a batch. clock: returns seconds.
        """
        self._name, self._run, self._run_elsewhere, self._clock = name, run, run_elsewhere, clock
        self._most = self._size = most
        self._lock = threading.Lock()
        self._rests, self._until = False, 0.0  # whether it is left alone, or used for small batches, and until when
        self._note = ""

    @property
    def note(self) -> str:
        """Why not all drawings are computed on the device; "" if they are."""
        return self._note

    def run(self, ink: Ink) -> Vectors:
        """Return the embeddings of any number of drawings, n >= 1. Raises what run_elsewhere does."""
        parts, done = list[Vectors](), 0
        while done < len(ink):
            part = self._run_some(ink[done:])
            parts.append(part)
            done += len(part)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _run_some(self, ink: Ink) -> Vectors:
        """Return the embeddings of the first drawings, as many as fit."""
        self._recover()
        while not self._rests:
            batch = ink[: self._size]
            try:
                return self._run(batch)
            except OutOfDeviceMemory:
                self._shrink(len(batch))
            except DeviceFailed as error:
                _log.error("the device %s failed; the CPU goes on", self._name, exc_info=error.__cause__)
                self._rest(f"failed ({error.__cause__})"[:200])
        return self._run_elsewhere(ink[: self._most])

    def _recover(self) -> None:
        """Forget trouble that was long ago."""
        if (self._rests or self._size < self._most) and self._clock() >= self._until:
            with self._lock:
                self._rests, self._size, self._note = False, self._most, ""

    def _shrink(self, tried: int) -> None:
        if tried == 1:
            _log.warning("the device %s has no memory for a single drawing; the CPU goes on", self._name)
            self._rest("has no memory left")
            return
        with self._lock:
            self._size, self._until = tried // 2, self._clock() + _REST_S
            self._note = (
                f"{self._name} lacks memory, so it embeds at most {self._size} drawings at once; end other programs "
                "that use it, or give the server more of it (--device-memory)"
            )
        _log.warning("%s", self._note)

    def _rest(self, why: str) -> None:
        with self._lock:
            self._rests, self._until = True, self._clock() + _REST_S
            at = datetime.now().astimezone().strftime("%H:%M")
            self._note = (
                f"{self._name} {why} at {at}, so the CPU embeds instead; end other programs that use it, or give the "
                "server more of it (--device-memory)"
            )
