"""A conversation with a learner's process: questions and their answers among the rest of what the two say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ports import LearnerProcess

Heard = tuple[dict[str, Any], bytes]


class Conversation:
    """With one process. Safe from any thread. begin() it once, close() it once."""

    def __init__(
        self, process: LearnerProcess, heard: Callable[[dict[str, Any]], None], ended: Callable[[], None]
    ) -> None:
        """heard: gets whatever is not an answer. ended: called once the process says no more. Both from one thread."""
        self._process, self._heard, self._ended = process, heard, ended
        self._talk = threading.Lock()
        self._asking = threading.Lock()
        self._asked: dict[int, Future[Heard | None]] = {}
        self._number = 0
        self._over = False
        self._listener = threading.Thread(target=self._listen, name="learner", daemon=True)

    @property
    def over(self) -> bool:
        """The process says no more."""
        return self._over

    def begin(self) -> None:
        """Listen from now on."""
        self._listener.start()

    def tell(self, facts: dict[str, Any], payload: bytes = b"") -> None:
        """Raises OSError once it has ended."""
        with self._talk:
            self._process.send(facts, payload)

    def ask(self, rasters: NDArray[np.uint8], patience_s: float) -> Heard | None:
        """What it says to (n, 64, 64) drawings; None if it has ended, which a process that is silent for so long is
        made to.
        """
        answer: Future[Heard | None] = Future()
        with self._asking:
            if self._over:
                return None
            self._number += 1
            number = self._number
            self._asked[number] = answer
        try:
            self.tell({"ask": number, "count": len(rasters)}, rasters.tobytes())
            return answer.result(patience_s)
        except OSError:
            return None
        except TimeoutError:
            self._process.end(0)
            return None
        finally:
            with self._asking:
                self._asked.pop(number, None)

    def close(self, grace_s: float) -> None:
        """Let it save what is worth saving, then end it."""
        with suppress(OSError):
            self.tell({"leave": True})
        self._process.end(grace_s)
        self._listener.join()

    def _listen(self) -> None:
        try:
            while (frame := self._process.receive()) is not None:
                self._take(frame)
        except ValueError as error:
            self._heard({"failed": {"reason": "INTERNAL", "message": f"the learner's process made no sense: {error}"}})
        finally:
            with self._asking:
                self._over = True
                waiting = list(self._asked.values())
            for answer in waiting:
                answer.set_result(None)
            self._ended()

    def _take(self, frame: Heard) -> None:
        if "answer" not in frame[0]:
            self._heard(frame[0])
            return
        with self._asking:
            answer = self._asked.pop(frame[0]["answer"], None)  # None: nobody waits any more
        if answer is not None:
            answer.set_result(frame)
