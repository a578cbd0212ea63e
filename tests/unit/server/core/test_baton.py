"""One call at a time runs Python: waits pass the baton on, and who keeps it for too long loses it."""

from __future__ import annotations

import random
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest
from haleganada_server.core.baton import KEPT_S, Baton, acquire, locked, without_baton
from haleganada_server.rpc.calls.call_pool import CallPool

from tests.support.waiting import wait_until

NAME, CALLS = "call with a baton", 32


@pytest.fixture
def baton() -> Iterator[Baton]:
    """Is not watched, so that nothing is taken away on a slow machine."""
    baton = Baton()
    yield baton
    assert baton.take(Later()), "somebody still has it"


@pytest.fixture
def watched() -> Iterator[Baton]:
    baton = Baton()
    baton.start()
    yield baton
    assert baton.take(Later()), "somebody still has it"
    baton.stop()


class Later:
    def __init__(self) -> None:
        self.goes_on = False

    def go_on(self) -> None:
        self.goes_on = True


def run(baton: Baton, *works: Callable[[], object]) -> None:
    """Carry out calls, and wait for all."""
    pool = CallPool(CALLS, NAME, baton)
    for work in works:
        pool.submit(work)
    wait_until(lambda: pool.count == 0)
    pool.shutdown()
    wait_until(lambda: all(thread.name != NAME for thread in threading.enumerate()))


def test_who_is_next_goes_on_in_the_order_of_claims(baton: Baton) -> None:
    first, second, third = Later(), Later(), Later()
    assert baton.take(first) and not baton.take(second) and not baton.take(third)
    assert baton.pass_on(second) is None, "who does not have it cannot pass it on"
    assert baton.pass_on(first) is second and baton.pass_on(second) is third and baton.pass_on(third) is None
    assert not second.goes_on, "the caller lets it go on"


def test_one_call_at_a_time_runs(baton: Baton) -> None:
    running, most = 0, 0

    def work() -> None:
        nonlocal running, most
        for _ in range(5):
            running += 1
            most = max(most, running)
            time.sleep(0.0005)  # lets other threads run, if they could
            running -= 1
            with without_baton():
                time.sleep(0.0005)

    run(baton, *[work] * 12)
    assert most == 1


def test_a_wait_lets_others_run(baton: Baton) -> None:
    told = threading.Event()

    def wait() -> None:
        with without_baton():
            assert told.wait(60)

    run(baton, wait, wait, told.set)


def test_waits_within_waits_are_one(baton: Baton) -> None:
    told = threading.Event()

    def wait() -> None:
        with without_baton():
            with without_baton():
                pass
            assert told.wait(60), "the baton was picked up in the middle"

    run(baton, wait, told.set)


def test_a_lock_is_waited_for_without_the_baton(baton: Baton) -> None:
    lock, has_lock = threading.Lock(), threading.Event()

    def keep() -> None:
        with locked(lock):
            has_lock.set()
            with without_baton():
                time.sleep(0.02)  # until the other waits for the lock, and then for the baton

    def want() -> None:
        assert has_lock.is_set()
        acquire(lock)
        lock.release()

    run(baton, keep, want)
    assert not lock.locked()


def test_who_keeps_it_for_too_long_runs_beside_the_next(watched: Baton) -> None:
    told = threading.Event()

    def wait() -> None:
        assert told.wait(60)  # nobody knows that it waits

    began = time.monotonic()
    run(watched, wait, wait, wait, told.set)
    assert time.monotonic() - began > 3 * KEPT_S


def test_a_call_that_had_to_wait_is_not_kept(watched: Baton) -> None:
    """What a call holds, its message for example, goes with it, also if it got the baton because another was slow."""
    told = threading.Event()

    class Work:
        def __call__(self) -> None:
            told.set()

    work = Work()
    kept = weakref.ref(work)
    calls: list[Callable[[], object]] = [lambda: told.wait(60), work]
    del work
    pool = CallPool(CALLS, NAME, watched)
    while calls:
        pool.submit(calls.pop(0))
    wait_until(lambda: kept() is None)
    pool.shutdown()


def test_a_call_for_which_there_is_no_thread_waits_for_one(watched: Baton, monkeypatch: pytest.MonkeyPatch) -> None:
    began, told, done = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        began.set()
        with without_baton():
            assert told.wait(60)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = CallPool(CALLS, NAME, watched)
    pool.submit(wait)
    assert began.wait(60)
    with monkeypatch.context() as machine:
        machine.setattr(threading.Thread, "start", refuse)
        pool.submit(done.set)
    told.set()
    assert done.wait(60)
    wait_until(lambda: pool.count == 0)
    pool.shutdown()


def test_any_mixture_of_calls_ends(watched: Baton) -> None:
    chance, lock, done = random.Random(7), threading.RLock(), []

    def make(number: int) -> Callable[[], None]:
        steps = [chance.choice(["run", "wait", "lock", "keep", "fail"]) for _ in range(6)]

        def work() -> None:
            done.append(number)
            for step in steps:
                if step == "wait":
                    with without_baton():
                        time.sleep(0.001)
                elif step == "lock":
                    with locked(lock), without_baton():
                        pass
                elif step == "keep":
                    time.sleep(2 * KEPT_S * (number % 5 == 0))
                elif step == "fail":
                    raise ValueError(number)

        return work

    run(watched, *[make(number) for number in range(CALLS)])
    assert sorted(done) == list(range(CALLS))


def test_a_watch_ends_whenever_it_is_told_to() -> None:
    for _ in range(20):
        baton = Baton()
        baton.start()
        first, second = Later(), Later()
        assert baton.take(first) and not baton.take(second)
        assert baton.pass_on(first) is second and baton.pass_on(second) is None
        baton.stop()  # while it finds out that nobody waits any longer


def test_threads_of_others_need_no_baton() -> None:
    lock = threading.Lock()
    with without_baton(), locked(lock):
        assert lock.locked()


def test_a_thread_takes_the_next_call_that_waits(baton: Baton) -> None:
    threads, all_are_here = set(), threading.Event()

    def work() -> None:
        threads.add(threading.get_ident())

    def first() -> None:
        work()
        assert all_are_here.wait(60)

    pool = CallPool(CALLS, NAME, baton)
    pool.submit(first)
    for _ in range(9):
        pool.submit(work)
    all_are_here.set()
    wait_until(lambda: pool.count == 0)
    pool.shutdown()
    assert len(threads) == 1
