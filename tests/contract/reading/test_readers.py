"""Readers: processes that start when they are needed, are shared fairly, and whose end harms nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Cancelled, DeadlineExceeded, Exhausted, HaleganadaError, Unavailable
from haleganada_server.core.reading.codec import options_to_json
from haleganada_server.core.reading.options import PreparationStep, ReadMode, ReadOptions, TextLayer
from haleganada_server.runtime.processes.frames import read_frame, write_frame
from haleganada_server.runtime.processes.reader_pool import READER, ReaderLimits, ReaderPool, default_reader_count

from tests.e2e.processes import children_of, command_of
from tests.support import tiny_reader
from tests.support.tiny_reader import tiny
from tests.support.waiting import wait_until

Start = Callable[..., ReaderPool]
OPTIONS = ReadOptions()
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")


# Known by a setting without a meaning from the readers of servers that other tests run in this process.
COMMAND = (tiny_reader.COMMAND[0], "-X", "of_test_readers", tiny_reader.COMMAND[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that makes a pool of one reader, or with other limits; the pools are closed afterwards."""
    started: list[ReaderPool] = []
    numbers = iter(range(1000))

    def run(**limits: float | int | None) -> ReaderPool:
        usual: dict[str, float | int | None] = {"count": 1, **limits}
        pool = ReaderPool(
            ReaderLimits(**usual),  # type: ignore[arg-type]
            lambda: tmp_path / f"temporary {next(numbers)}",
            COMMAND,
        )
        started.append(pool)
        return pool

    yield run
    for pool in started:
        pool.close()
    wait_until(lambda: not readers())
    assert not list(tmp_path.glob("temporary *"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a document with these pages."""

    def run(*pages: str) -> Path:
        path = tmp_path / f"document {hash(pages)}"
        path.write_bytes(tiny(*pages))
        return path

    return run


def readers() -> list[int]:
    """Return the process ids of the readers of this process."""
    return [pid for pid in children_of(os.getpid()) if COMMAND[2] in command_of(pid)]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def read(pool: ReaderPool, document: Path, page: int = 1, cancellation: Cancellation = NEVER) -> str:
    return pool.read_page(document, page, OPTIONS, cancellation).page.text


def failure(call: Callable[[], object]) -> HaleganadaError:
    with pytest.raises(HaleganadaError) as caught:
        call()
    return caught.value


class Caller:
    """A caller that may go away."""

    def __init__(self) -> None:
        self.is_here = True
        self.seconds_left = float("inf")

    @property
    def cancellation(self) -> Cancellation:
        return Cancellation(lambda: self.is_here, lambda: self.seconds_left)


def test_nothing_starts_before_it_is_needed_and_then_one_for_each_call(
    start: Start, write: Callable[..., Path]
) -> None:
    pool = start(count=2)
    assert not readers()
    for _ in range(3):
        assert read(pool, write("one", "two"), 2) == "two\n"
        assert len(readers()) == 1
    with ThreadPoolExecutor() as calls:
        for call in [calls.submit(read, pool, write(f"!sleep 0.3\n{i}")) for i in range(6)]:
            assert call.result()
    assert len(readers()) == 2


def test_options_arrive_as_they_were_sent(start: Start, write: Callable[..., Path]) -> None:
    pool = start()
    odd = ReadOptions(
        mode=ReadMode.TAUGHT,
        engine="missing",
        languages=("kn", "script/Kannada"),
        skipped_steps=frozenset(PreparationStep),
        text_layer=TextLayer.REPLACE,
        segment_only=True,
        debug=True,
        workspace="ಅ",
    )
    assert failure(lambda: pool.read_page(write("one"), 1, odd, NEVER)).reason is Reason.MODE_UNAVAILABLE
    assert pool.read_page(write("one"), 1, ReadOptions(segment_only=True), NEVER).page.text == "\n"
    assert [engine.engine for engine in pool.engines(NEVER)] == ["tiny", "missing"]


def test_idle_readers_end_and_start_again(start: Start, write: Callable[..., Path]) -> None:
    pool = start(idle_s=0.3)
    assert read(pool, write("one")) == "one\n"
    wait_until(lambda: not readers())
    assert read(pool, write("two")) == "two\n"


def test_a_reader_that_was_killed_while_idle_is_replaced(start: Start, write: Callable[..., Path]) -> None:
    pool = start()
    read(pool, write("one"))
    for text in ("two", "three", "four"):
        (pid,) = readers()
        os.kill(pid, signal.SIGKILL)
        assert read(pool, write(text)) == f"{text}\n"


def test_a_reader_that_is_killed_at_work_fails_that_call_alone(
    start: Start, write: Callable[..., Path], tmp_path: Path
) -> None:
    pool = start()
    read(pool, write("one"))
    (pid,) = readers()
    with ThreadPoolExecutor() as calls:
        hung = calls.submit(read, pool, write("!temporary\n!hang"))
        waiting = calls.submit(read, pool, write("two"))
        wait_until(lambda: list(tmp_path.glob("temporary */*")))
        os.kill(pid, signal.SIGKILL)
        error = failure(hung.result)
        assert isinstance(error, Unavailable) and error.reason is Reason.READER_FAILED
        assert waiting.result() == "two\n"


def test_a_page_that_takes_too_long_is_given_up_with_what_it_started(start: Start, write: Callable[..., Path]) -> None:
    pool = start(page_s=0.5)
    read(pool, write("one"))
    (pid,) = readers()
    with ThreadPoolExecutor() as calls:
        hung = calls.submit(read, pool, write("!spawn\n!temporary\n!hang"))
        (spawned,) = wait_until(lambda: children_of(pid))
        error = failure(hung.result)
    assert isinstance(error, Exhausted) and error.reason is Reason.READER_TIMEOUT
    wait_until(lambda: not is_alive(spawned))
    assert read(pool, write("two")) == "two\n"


def test_callers_who_are_gone(start: Start, write: Callable[..., Path]) -> None:
    """Whoever goes while his page is read ends its reader; whoever goes while he waits is not read at all."""
    pool = start()
    read(pool, write("one"))
    (pid,) = readers()
    first, second = Caller(), Caller()
    with ThreadPoolExecutor() as calls:
        hung = calls.submit(read, pool, write("!hang"), 1, first.cancellation)
        waiting = calls.submit(read, pool, write("!crash"), 1, second.cancellation)
        second.is_here = False
        assert isinstance(failure(waiting.result), Cancelled) and is_alive(pid)
        first.seconds_left = 0.0
        assert isinstance(failure(hung.result), DeadlineExceeded)
        wait_until(lambda: not is_alive(pid))
    assert read(pool, write("two")) == "two\n"


def test_callers_are_served_in_the_order_of_their_arrival(start: Start, write: Callable[..., Path]) -> None:
    pool = start()
    read(pool, write("one"))
    order: list[int] = []

    def call(number: int) -> None:
        read(pool, write(f"!sleep 0.05\n{number}"))
        order.append(number)

    with ThreadPoolExecutor() as calls:
        done: list[Future[None]] = []
        for number in range(6):
            done.append(calls.submit(call, number))
            time.sleep(0.02)  # the order of arrival is what is tested
        for one in done:
            one.result()
    assert order == list(range(6))


def test_callers_take_turns_with_their_pages(start: Start, write: Callable[..., Path]) -> None:
    pool, holder, order = start(), Caller(), list[str]()

    def call(name: str) -> None:
        read(pool, write(name), cancellation=replace(NEVER, caller=name))
        order.append(name)

    with ThreadPoolExecutor(7) as calls:
        held = calls.submit(lambda: failure(lambda: read(pool, write("!hang"), cancellation=holder.cancellation)))
        wait_until(lambda: pool.load().busy == 1)
        done = list[Future[None]]()
        for count, name in enumerate(("anna", "anna", "anna", "ben", "ben", "cara"), 1):
            done.append(calls.submit(call, name))
            wait_until(lambda: pool.load().waiting == count)  # noqa: B023  asked at once
        holder.is_here = False
        held.result()
        for one in done:
            one.result()
    assert order == ["anna", "ben", "cara", "anna", "ben", "anna"]


def test_what_is_quick_goes_before_pages(start: Start, write: Callable[..., Path]) -> None:
    pool = start()
    read(pool, write("one"))
    order: list[str] = []

    def call(name: str, what: Callable[[], object]) -> None:
        what()
        order.append(name)

    with ThreadPoolExecutor() as calls:
        done = []
        for name, what in (
            ("first page", lambda: read(pool, write("!sleep 1\none"))),
            ("second page", lambda: read(pool, write("two"))),
            ("count", lambda: pool.count_pages(write("two"), NEVER)),
            ("engines", lambda: pool.engines(NEVER)),
        ):
            done.append(calls.submit(call, name, what))
            time.sleep(0.05)  # the order of arrival is what is tested
        for one in done:
            one.result()
    assert order == ["first page", "count", "engines", "second page"]


def test_there_are_no_more_readers_than_fit_into_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "haleganada_server.runtime.processes.reader_pool"
    monkeypatch.setattr(f"{module}.usable_cores", lambda: 64)
    for memory, count in ((None, 8), (64 * 2**30, 8), (3 * 2**30, 3), (2**20, 1)):
        monkeypatch.setattr(f"{module}.total_memory", lambda memory=memory: memory)
        assert default_reader_count() == count


def test_a_bomb_ends_the_reader_and_not_the_machine(start: Start, write: Callable[..., Path]) -> None:
    pool = start(memory_bytes=300 * 2**20)
    error = failure(lambda: read(pool, write(f"!allocate {400 * 2**20}")))
    assert isinstance(error, Exhausted) and error.reason is Reason.DOCUMENT_TOO_LARGE
    assert read(pool, write("one")) == "one\n"
    assert read(start(memory_bytes=None), write(f"!allocate {400 * 2**20}\nbig")) == "big\n"


def test_a_reader_that_has_grown_is_replaced_before_it_fails_an_innocent_page(
    start: Start, write: Callable[..., Path]
) -> None:
    pool = start(memory_bytes=400 * 2**20)
    assert read(pool, write("one")) == "one\n"
    before = readers()
    for _ in range(3):
        assert read(pool, write(f"!keep {250 * 2**20}\ntwo")) == "two\n"
    assert read(pool, write("three")) == "three\n" and readers() != before


def test_readers_let_others_go_first_and_ctrl_c_is_not_for_them(start: Start, write: Callable[..., Path]) -> None:
    pool = start()
    read(pool, write("one"))
    (pid,) = readers()
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
    assert os.getsid(pid) == pid  # the terminal's signals go to another group
    os.kill(pid, signal.SIGINT)
    assert read(pool, write("two")) == "two\n" and readers() == [pid]


def test_closing_ends_everything(start: Start, write: Callable[..., Path]) -> None:
    pool = start()
    with ThreadPoolExecutor() as calls:
        hung = calls.submit(read, pool, write("!hang"))
        waiting = calls.submit(read, pool, write("one"))
        wait_until(readers)
        closing = threading.Thread(target=pool.close)
        closing.start()
        assert {type(failure(call.result)) for call in (hung, waiting)} == {Unavailable}
        closing.join()
    assert isinstance(failure(lambda: read(pool, write("one"))), Unavailable)


def test_a_program_that_cannot_be_started(tmp_path: Path, write: Callable[..., Path]) -> None:
    pool = ReaderPool(ReaderLimits(count=1), lambda: tmp_path / "temporary", [str(tmp_path / "nothing")])
    for _ in range(2):
        error = failure(lambda: read(pool, write("one")))
        assert isinstance(error, Unavailable) and error.reason is Reason.READER_FAILED
    pool.close()


@pytest.mark.parametrize("page", ["", "!hang", "!spawn\n!hang"])
def test_a_reader_ends_with_its_server_even_in_the_middle_of_a_page(tmp_path: Path, page: str) -> None:
    process = subprocess.Popen(
        tiny_reader.COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    with process:
        assert process.stdin and process.stdout
        (tmp_path / "document").write_bytes(tiny("one", page))
        write_frame(process.stdin, {"do": "count_pages", "document": str(tmp_path / "document")})
        assert read_frame(process.stdout) == ({"done": {"pages": 2}}, b"")
        write_frame(process.stdin, {"do": "no such task"})
        answer = read_frame(process.stdout)
        assert answer and "KeyError" in answer[0]["failed"]["message"]
        if page:
            request = {"do": "read_page", "document": str(tmp_path / "document"), "page": 2}
            write_frame(process.stdin, {**request, "options": options_to_json(OPTIONS)})
        spawned = wait_until(lambda: children_of(process.pid)) if "spawn" in page else []
        process.stdin.close()
        process.wait(10)
        wait_until(lambda: not any(map(is_alive, spawned)))


def test_a_reader_needs_no_transport_and_loads_no_engine_before_it_reads() -> None:
    code = f"import sys, {READER[2]}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"grpc", "google.protobuf", "haleganada", "sqlite3", "cv2", "rapidocr", "pypdfium2", "PIL"} & set(loaded)


def test_without_the_read_extra_engines_are_listed_and_documents_name_what_to_install(tmp_path: Path) -> None:
    """An import that is set to None fails as it does where the package is not installed."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('cv2', 'rapidocr', 'pypdfium2', 'pikepdf')))\n"
        "from haleganada_server.reading.worker import main; main([])"
    )
    (tmp_path / "document").write_bytes(b"%PDF-1.4")
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        write_frame(process.stdin, {"do": "engines"})
        answer = read_frame(process.stdout)
        assert answer
        first = answer[0]["done"]["engines"][0]
        assert (first["engine"], first["installed"]) == ("rapidocr", False) and first["install_hint"]
        write_frame(process.stdin, {"do": "count_pages", "document": str(tmp_path / "document")})
        answer = read_frame(process.stdout)
        assert answer and answer[0]["failed"]["reason"] == "ENGINE_NOT_INSTALLED"
        assert "pip install -e '.[read]'" in answer[0]["failed"]["message"]


def test_what_a_library_prints_does_not_get_between_the_answers() -> None:
    code = (
        "import os; from haleganada_server.reading.worker import main\n"
        "main([], {'print': lambda request: (print('noise', flush=True), os.system('echo noise'), ({}, b''))[2]})"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        write_frame(process.stdin, {"do": "print"})
        assert read_frame(process.stdout) == ({"done": {}}, b"")


def test_a_page_that_computes_for_ever_takes_too_long(start: Start, write: Callable[..., Path]) -> None:
    pool = start(page_s=0.5)
    read(pool, write("which starts a reader"))
    assert failure(lambda: read(pool, write("!work 3600"))).reason is Reason.READER_TIMEOUT
    assert read(pool, write("next")) == "next\n"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_a_reader_that_others_hold_up_gets_more_time(start: Start, write: Callable[..., Path]) -> None:
    """Its core is shared with two processes that go first: they leave it a twentieth."""
    core = min(os.sched_getaffinity(0))
    with ThreadPoolExecutor(1) as thread, _busy(core, 2):
        thread.submit(os.sched_setaffinity, 0, {core}).result()  # what this thread starts, inherits it
        pool = start(page_s=1.0)
        thread.submit(read, pool, write("which starts a reader")).result()
        assert thread.submit(read, pool, write("!work 0.2\nheld up")).result() == "held up\n"


@contextmanager
def _busy(core: int, count: int) -> Iterator[None]:
    """Keep a core busy."""
    line = f"import os\nos.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    processes = [subprocess.Popen([sys.executable, "-c", line]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
