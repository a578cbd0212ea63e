"""Processes that read drawings beside the server: where many calls come at once, the threads of one interpreter would
wait for each other.

They are started when they are first wanted, one after the other and in the background, and ended when nobody has
wanted them for a while. They hold nothing, so they are ended by killing them. Whatever becomes of one, its piece is
read by the server instead: a caller never notices. The end of their standard input tells them that the server is
gone, however that ended.

They are in the server's session, so that the system weighs them as it weighs the server's own threads.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.glyphs.ports import Seen
from haleganada_server.core.glyphs.types import Glyph

from .child_processes import let_go_first, usable_cores
from .encoder_messages import Message, pack_question, unpack_answer
from .frames import read_frame, write_frame

_MODULE = "haleganada_server.encoder_worker"
_MOST = 8
_TICK_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. unused: until processes that nobody wants are ended. silent: until one that does not answer is killed.
    start: until one that does not get ready is killed. again: at most, from a failed start to the next; less at first.
    """

    unused: float = 60.0
    silent: float = 10.0
    start: float = 30.0
    again: float = 60.0


def usual_count() -> int:
    """One process a core, none where there is one core only."""
    cores = usable_cores()
    return min(cores, _MOST) if cores > 1 else 0


class ReadingProcesses:
    """core.ports.PieceReader by `count` processes. To be closed."""

    def __init__(self, weights: Path, count: int, patience: Patience = Patience()) -> None:
        """weights: a folder of weights that was checked."""
        self._command = (sys.executable, "-m", _MODULE, str(weights.absolute()))
        self.count = count
        self._patience = patience
        self._changing = threading.Lock()  # guards all below
        self._free: list[_Process] = []  # the one that was used last comes last
        self._ready: set[_Process] = set()  # also those that are busy
        self._waiting: deque[SimpleQueue[_Process | None]] = deque()  # calls, in the order in which they came
        self._keeper: threading.Thread | None = None
        self._wanted = 0.0  # when, by the monotonic clock
        self._closed = threading.Event()

    def see(self, glyphs: Sequence[Glyph]) -> list[Seen | HaleganadaError] | None:
        process = self._take()
        if process is None:
            return None
        try:
            answer = process.ask(pack_question(glyphs))
        except (OSError, EOFError, ValueError) as error:
            self._lose(process, error)
            return None
        self._give_back(process)
        if "failed" in answer[0]:
            _log.warning("a reading process could not read a drawing: %s", answer[0]["failed"])
            return None
        return unpack_answer(answer)

    def close(self) -> None:
        """End them all; from now on nothing is read here."""
        with self._changing:
            self._closed.set()
            ended = self._take_all()
        for process in ended:
            process.end()

    def _take(self) -> _Process | None:
        """A free process, once there is one; None if none is ready."""
        with self._changing:
            self._wanted = time.monotonic()
            if self._keeper is None and not self._closed.is_set():
                self._keeper = threading.Thread(target=self._keep, name="reading-processes", daemon=True)
                self._keeper.start()
            if not self._ready:
                return None
            if self._free:
                process = self._free.pop()
                process.asked = time.monotonic()
                return process
            turn: SimpleQueue[_Process | None] = SimpleQueue()
            self._waiting.append(turn)
        return turn.get()

    def _give_back(self, process: _Process) -> None:
        with self._changing:
            if process in self._ready:
                self._hand_on(process)

    def _hand_on(self, process: _Process) -> None:
        """To who has waited longest. Otherwise whoever comes at the right moment would keep others waiting for long."""
        if self._waiting:
            process.asked = time.monotonic()
            self._waiting.popleft().put(process)
        else:
            process.asked = None
            self._free.append(process)

    def _send_away(self) -> None:
        """Nobody is there any more to wait for."""
        while self._waiting:
            self._waiting.popleft().put(None)

    def _take_all(self) -> set[_Process]:
        """They are nobody's any more."""
        ended, self._ready = self._ready, set()
        self._free.clear()
        self._send_away()
        return ended

    def _lose(self, process: _Process, error: Exception) -> None:
        """It has ended, was killed for its silence, or answered nonsense."""
        with self._changing:
            self._ready.discard(process)
            if not self._ready:
                self._send_away()
            closed = self._closed.is_set()
        process.end()
        if not closed:
            _log.warning("a reading process is gone (%s); the server reads by itself until there is a new one", error)

    def _keep(self) -> None:
        """Start, watch and end the processes, until they are unused."""
        _keep_ctrl_c_from_those_started_here()
        start_from, wait = 0.0, _TICK_S
        while not self._end_unused():
            self._kill_silent()
            while self._missing() and time.monotonic() >= start_from:
                if self._start():
                    wait = _TICK_S
                else:
                    start_from = time.monotonic() + wait
                    wait = min(2 * wait, self._patience.again)
            if self._closed.wait(_TICK_S):
                return

    def _missing(self) -> bool:
        with self._changing:
            return not self._closed.is_set() and len(self._ready) < self.count

    def _kill_silent(self) -> None:
        """Whoever waits for such a process finds its output at the end."""
        with self._changing:
            latest = time.monotonic() - self._patience.silent
            silent = [process for process in self._ready if process.asked is not None and process.asked < latest]
        for process in silent:
            _log.warning("a reading process did not answer for %g s and is killed", self._patience.silent)
            process.kill()

    def _end_unused(self) -> bool:
        """End them all if nobody has wanted them for a while; True if so."""
        with self._changing:
            if time.monotonic() - self._wanted < self._patience.unused or len(self._free) < len(self._ready):
                return False
            ended = self._take_all()
            self._keeper = None
        for process in ended:
            process.end()
        return True

    def _start(self) -> bool:
        """Start one and wait until it is ready; False if it does not get so."""
        try:
            process = _Process(self._command)
            process.get_ready(self._patience.start)
        except OSError as error:
            _log.warning("a reading process could not be started (%s); the server reads by itself", error)
            return False
        with self._changing:
            kept = not self._closed.is_set()
            if kept:
                self._ready.add(process)
                self._hand_on(process)
        if not kept:
            process.end()
        return True


class _Process:
    """One process; asked by one thread at a time, killed by any."""

    def __init__(self, command: Sequence[str]) -> None:
        """Raises OSError."""
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.asked: float | None = None  # since when it owes an answer
        let_go_first(self._process.pid)

    def get_ready(self, patience_s: float) -> None:
        """Wait for its first words. Raises OSError if they do not come."""
        late = threading.Timer(patience_s, self.kill)
        late.start()
        try:
            self._receive()
        except (OSError, EOFError, ValueError) as error:
            self.end()
            raise OSError(str(error)) from error
        finally:
            late.cancel()

    def ask(self, question: Message) -> Message:
        """Raises OSError, EOFError or ValueError if there is no answer; it is of no use any more then."""
        assert self._process.stdin is not None
        write_frame(self._process.stdin, *question)
        return self._receive()

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kill it and forget it. Safe to call twice."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(OSError):  # what was not sent is lost with it
                    pipe.close()

    def _receive(self) -> Message:
        assert self._process.stdout is not None
        frame = read_frame(self._process.stdout)
        if frame is None:
            raise EOFError("it has ended")
        return frame


def _keep_ctrl_c_from_those_started_here() -> None:
    """Ctrl-C in the server's terminal is the server's to handle: a process inherits what the thread that starts it
    has blocked.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
