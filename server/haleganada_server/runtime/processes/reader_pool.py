"""Readers: processes that open documents and read their pages, because that takes seconds, hundreds of megabytes, and
libraries that hostile files may crash.

They start when somebody asks and none is free, let everything else on the machine go first, and end when nobody has
asked for a while. They keep no state. Whoever asks waits in one queue, in which callers take turns. A reader is killed
when its caller is gone, or when a page takes too long; only that page's caller gets an error.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, HaleganadaError, Unavailable
from haleganada_server.core.machine_errors import to_machine_error
from haleganada_server.core.outcomes import strip_traceback
from haleganada_server.core.reading import codec
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import ReadOptions
from haleganada_server.core.reading.page import StepPicture
from haleganada_server.core.reading.ports import PageImage, ReaderLoad, ReadingFile, ReadPage, TakenPage
from haleganada_server.core.reading.reading import ReadingFormat
from haleganada_server.core.reading.taught.page import TaughtPage

from .child_processes import total_memory, usable_cores
from .reader_messages import unpack_error
from .worker_process import Message, WorkerProcess

READER = (sys.executable, "-m", "haleganada_server.reading.worker")
"""The command of a reader."""

_MAX_DEFAULT_READERS = 8
_USUAL_MEMORY_BYTES = 2**30  # of a reader, while it reads a page of 300 dpi
_FILES = ("export", "import_words")
_PAGES = ("read_page", "take_apart")  # what takes long; all else goes before it
_START_S = 60.0  # for starting a reader and loading an engine
_TICK_S = 0.1
_SHARE_OF_A_CORE = 0.5  # with less than this, others hold a reader up
_MOST_PATIENCE = 10
_STANDSTILL_S = 3.0
_THREADS = ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLimits:
    """count: readers at most. memory_bytes: that one may use, None = no bound. page_s, file_s: seconds for a page, and
    for writing or importing a whole reading; where others leave it less of the processor, a reader gets up to ten times
    as long. idle_s: until a reader that nobody uses is ended.
    """

    count: int
    memory_bytes: int | None = None
    page_s: float = 300.0
    file_s: float = 1800.0
    idle_s: float = 60.0


def default_reader_count() -> int:
    """Return one reader per core, up to 8, and no more than fit into the machine's memory; at least one."""
    memory = total_memory()
    fit = _MAX_DEFAULT_READERS if memory is None else memory // _USUAL_MEMORY_BYTES
    return max(1, min(usable_cores(), _MAX_DEFAULT_READERS, fit))


class ReaderPool:
    """core.reading.ports.DocumentReader by processes. close() it once."""

    def __init__(
        self, limits: ReaderLimits, temporary_path: Callable[[], Path], command: Sequence[str] = READER
    ) -> None:
        """temporary_path: returns a new path, for the temporary files of a reader."""
        self.count = limits.count
        self._environment = dict.fromkeys(_THREADS, str(max(1, usable_cores() // self.count)))
        memory = () if limits.memory_bytes is None else ("--memory", str(limits.memory_bytes))
        self._command = (*command, *memory)
        self._limits, self._temporary_path = limits, temporary_path
        self._changed = threading.Condition()  # guards everything below
        self._queue: deque[_Call] = deque()  # waiting for a reader, in the order of their turns
        self._round = 0  # of the page that was begun last
        self._last_rounds: dict[str, int] = {}  # of each caller who has pages in the queue, or had a moment ago
        self._idle: list[_Reader] = []  # the most recently used last
        self._busy: dict[_Call, _Reader | None] = {}  # None while a reader is being started
        self._watcher: threading.Thread | None = None
        self._closed = threading.Event()

    def engines(self, cancellation: Cancellation) -> tuple[EngineInfo, ...]:
        done, _ = self._ask({"do": "engines"}, cancellation)
        return tuple(codec.engine_from_json(engine) for engine in done["engines"])

    def count_pages(self, document: Path, cancellation: Cancellation) -> int:
        done, _ = self._ask({"do": "count_pages", "document": _path(document)}, cancellation)
        return int(done["pages"])

    def read_page(self, document: Path, page: int, options: ReadOptions, cancellation: Cancellation) -> ReadPage:
        request = {
            "do": "read_page",
            "document": _path(document),
            "page": page,
            "options": codec.options_to_json(options),
        }
        done, payload = self._ask(request, cancellation)
        pictures, _ = _unpack_pictures(done["pictures"], payload)
        found = replace(codec.page_from_json(done["page"]), step_pictures=pictures)
        return ReadPage(found, int(done["pages_total"]))

    def take_apart(self, document: Path, page: int, options: ReadOptions, cancellation: Cancellation) -> TakenPage:
        request = {
            "do": "take_apart",
            "document": _path(document),
            "page": page,
            "options": codec.options_to_json(options),
        }
        done, payload = self._ask(request, cancellation)
        pictures, rest = _unpack_pictures(done["pictures"], payload)
        return TakenPage(TaughtPage.from_bytes(rest), int(done["pages_total"]), pictures)

    def draw_page(self, document: Path, page: int, max_side: int, cancellation: Cancellation) -> PageImage:
        request = {"do": "draw_page", "document": _path(document), "page": page, "max_side": max_side}
        done, jpeg = self._ask(request, cancellation)
        return PageImage(jpeg, int(done["width"]), int(done["height"]))

    def export(
        self, reading: Path, file_name: str, form: ReadingFormat, target: Path, cancellation: Cancellation
    ) -> ReadingFile:
        request = {
            "do": "export",
            "reading": _path(reading),
            "file_name": file_name,
            "format": form.value,
            "target": _path(target),
        }
        done, _ = self._ask(request, cancellation)
        return ReadingFile(target, str(done["file_name"]), str(done["content_type"]))

    def import_words(self, archive: Path, reading: Path, cancellation: Cancellation) -> int:
        done, _ = self._ask({"do": "import_words", "archive": _path(archive), "reading": _path(reading)}, cancellation)
        return int(done["pages"])

    def load(self) -> ReaderLoad:
        """Return how busy the readers are."""
        with self._changed:
            return ReaderLoad(self.count, len(self._busy), len(self._queue))

    def close(self) -> None:
        """End all readers; who waits for one, or asks from now on, gets Unavailable."""
        self._closed.set()
        with self._changed:
            idle, self._idle = self._idle, []
            for call, reader in self._busy.items():
                _kill(call, reader, _stopping())
            self._changed.notify_all()
        for reader in idle:
            reader.end()

    def _ask(self, request: dict[str, Any], cancellation: Cancellation) -> Message:
        """Wait for a reader, let it answer, and return what it did, with its payload."""
        timeout_s = self._limits.file_s if request["do"] in _FILES else self._limits.page_s
        call = _Call(cancellation, timeout_s, is_quick=request["do"] not in _PAGES)
        reader = self._acquire(call)
        try:
            response, payload = reader.process.request((request, b""))
        except (OSError, EOFError, ValueError) as error:
            self._release(call, reader, is_usable=False)
            if call.failure is None:
                _log.warning("lost a reader in %s: %s, %s", request["do"], error, reader.process.describe_end())
            raise call.failure or _reader_failed() from error
        self._release(call, reader, is_usable=not response.get("is_leaving"))
        if "failed" in response:
            raise _to_error(response["failed"])
        return response["done"], payload

    def _acquire(self, call: _Call) -> _Reader:
        """Wait for the turn of a call, and return its reader. Raises what ends the wait."""
        with self._changed:
            self._enqueue(call)
            try:
                while not self._is_turn_of(call):
                    self._changed.wait(_TICK_S)
            finally:
                self._queue.remove(call)
                self._changed.notify_all()
            self._round = max(self._round, call.round)
            reader = self._idle.pop() if self._idle else None
            self._busy[call] = reader
            call.begin(reader)
            self._start_watcher()
        if reader is None:
            return self._start_reader(call)
        if reader.is_alive():
            return reader
        reader.end()
        return self._start_reader(call)

    def _enqueue(self, call: _Call) -> None:
        """Let a call wait for its turn: a quick one before all pages. Pages are begun in rounds, in each of which every
        caller has one, so that many pages of one caller make others wait for few (start-time fair queueing; Goyal, Vin
        and Cheng, 1996).
        """
        if call.is_quick:
            self._queue.insert(sum(other.is_quick for other in self._queue), call)
            return
        if not self._queue:
            self._last_rounds.clear()
        caller = call.cancellation.caller
        call.round = self._last_rounds[caller] = max(self._round, self._last_rounds.get(caller, -1) + 1)
        self._queue.insert(sum(other.is_quick or other.round <= call.round for other in self._queue), call)

    def _is_turn_of(self, call: _Call) -> bool:
        if self._closed.is_set():
            raise _stopping()
        call.cancellation.check()
        while self._idle and self._idle[-1].process.has_ended:
            self._idle.pop().end()
        return self._queue[0] is call and (bool(self._idle) or len(self._busy) < self.count)

    def _start_reader(self, call: _Call) -> _Reader:
        try:
            reader = _Reader(self._command, self._environment, self._temporary_path())
        except OSError as error:
            with self._changed:
                del self._busy[call]
                self._changed.notify_all()
            _log.error("a reader cannot be started: %s", error)
            raise to_machine_error(error) or _reader_failed() from error
        with self._changed:
            self._busy[call] = reader
            if self._closed.is_set():
                _kill(call, reader, _stopping())
        return reader

    def _release(self, call: _Call, reader: _Reader, *, is_usable: bool) -> None:
        """Let others have a reader, or end it."""
        with self._changed:
            del self._busy[call]
            is_kept = is_usable and call.failure is None and not self._closed.is_set()
            if is_kept:
                reader.idle_since = time.monotonic()
                self._idle.append(reader)
            self._changed.notify_all()
        if not is_kept:
            reader.end()

    def _start_watcher(self) -> None:
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="readers", daemon=True)
            self._watcher.start()

    def _watch(self) -> None:
        """Kill readers whose callers wait no longer, and end those that are idle, until there are none."""
        is_over = False
        while not is_over and not self._closed.wait(_TICK_S):
            now = time.monotonic()
            with self._changed:
                for call, reader in self._busy.items():
                    if failure := call.find_failure(now, reader):
                        _kill(call, reader, failure)
                ended = [reader for reader in self._idle if reader.idle_since < now - self._limits.idle_s]
                self._idle = [reader for reader in self._idle if reader not in ended]
                if is_over := not (self._busy or self._idle):
                    self._watcher = None
            for reader in ended:
                reader.end()


class _Call:
    """A call that waits for a reader, or has one."""

    def __init__(self, cancellation: Cancellation, timeout_s: float, *, is_quick: bool) -> None:
        self.cancellation, self._timeout_s, self.is_quick = cancellation, timeout_s, is_quick
        self._began, self._ends = 0.0, float("inf")  # monotonic clock
        self._last_worked = 0.0
        self._cpu_before_s = 0.0
        self.failure: HaleganadaError | None = None  # why its reader was killed
        self.round = 0  # in which it is begun, if it is a page

    def begin(self, reader: _Reader | None) -> None:
        """The call has its turn. reader: None if one must be started, which takes more time."""
        self._cpu_before_s = reader.process.measure_cpu() if reader else 0.0
        self._began = time.monotonic()
        self._ends = self._began + self._timeout_s + (0 if reader else _START_S)

    def find_failure(self, now: float, reader: _Reader | None) -> HaleganadaError | None:
        """Return why its reader must be killed; None if it need not be."""
        if now > self._ends and not (reader and self._is_held_up(now, reader)):
            return _reader_timeout(self._timeout_s)
        try:
            self.cancellation.check()
        except HaleganadaError as error:
            return strip_traceback(error)
        return None

    def _is_held_up(self, now: float, reader: _Reader) -> bool:
        """Return whether a reader whose time is over still works, and has had little of the processor."""
        load = reader.process.measure_load()
        if load is None or now > self._began + _MOST_PATIENCE * self._timeout_s:
            return False
        if load.is_working:
            self._last_worked = now
        has_had_its_share = load.cpu_s - self._cpu_before_s > _SHARE_OF_A_CORE * self._timeout_s
        return not has_had_its_share and now - max(self._last_worked, self._ends) < _STANDSTILL_S


class _Reader:
    """A reader and the folder of its temporary files."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """Raises OSError."""
        self._folder = folder.absolute()
        self._folder.mkdir()
        places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._folder))
        try:
            self.process = WorkerProcess(command, environment={**environment, **places}, is_background=True)
        except OSError:
            self._folder.rmdir()
            raise
        self.idle_since = 0.0  # monotonic clock

    def is_alive(self) -> bool:
        """Return whether an idle reader answers. One that is being killed counts as running for a moment yet."""
        try:
            self.process.request(({"do": "greet"}, b""))
        except (OSError, EOFError, ValueError):
            return False
        return True

    def end(self) -> None:
        self.process.end()
        rmtree(self._folder, ignore_errors=True)


def _unpack_pictures(found: list[dict[str, Any]], payload: bytes) -> tuple[tuple[StepPicture, ...], bytes]:
    """Return the pictures that a payload begins with, and the rest of it."""
    pictures, start = [], 0
    for picture in found:
        end = start + int(picture["size"])
        pictures.append(StepPicture(str(picture["step"]), payload[start:end]))
        start = end
    return tuple(pictures), payload[start:]


def _kill(call: _Call, reader: _Reader | None, why: HaleganadaError) -> None:
    if reader is not None:  # else it is being started
        call.failure = call.failure or why
        reader.process.kill()


def _to_error(fields: dict[str, Any]) -> HaleganadaError:
    error = unpack_error(fields)
    if error.reason is not Reason.INTERNAL:
        return error
    _log.error("a reader failed: %s", error.message)
    return HaleganadaError("the server failed to read this document; its log has the reason")


def _reader_failed() -> Unavailable:
    return Unavailable(
        "the process that read the page ended, for example because memory ran out; send the page with fewer pixels, or "
        "repeat the call",
        Reason.READER_FAILED,
    )


def _reader_timeout(after_s: float) -> Exhausted:
    return Exhausted(
        f"the page was not read within {after_s:g} s; send it with fewer pixels, or with fewer lines",
        Reason.READER_TIMEOUT,
        retry_after_s=10.0,
    )


def _stopping() -> Unavailable:
    return Unavailable("the server is stopping; repeat the call")


def _path(path: Path) -> str:
    return str(path.absolute())
