"""Threads for calls: as many as there are calls, used again, and ended by a shutdown."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Iterator

import pytest
from haleganada_server.rpc.calls.call_pool import CallPool

from tests.support.waiting import wait_until

NAME = "call of a test"


@pytest.fixture
def pool() -> Iterator[CallPool]:
    pool = CallPool(3, NAME)
    yield pool
    pool.shutdown()
    wait_until(lambda: not threads())


def threads() -> set[int | None]:
    return {thread.ident for thread in threading.enumerate() if thread.name == NAME}


def test_no_call_waits_for_another(pool: CallPool) -> None:
    together = threading.Barrier(3)
    for _ in range(3):
        assert not pool.is_full
        pool.submit(together.wait, 60)
    wait_until(lambda: pool.count == 0)
    assert not together.broken and len(threads()) == 3


def test_it_is_full_while_there_are_so_many_calls(pool: CallPool) -> None:
    go_on = threading.Event()
    for _ in range(3):
        pool.submit(go_on.wait, 60)
    assert pool.is_full and len(pool.list_calls()) == 3
    go_on.set()
    wait_until(lambda: not pool.is_full)


def test_a_thread_that_rests_takes_the_next_call(pool: CallPool) -> None:
    used = []
    for number in range(20):
        pool.submit(lambda: used.append(threading.get_ident()))
        wait_until(lambda: len(used) == number + 1 and pool.count == 0 and pool._resting)  # noqa: B023  asked at once
    assert len(set(used)) == 1 == len(threads())


def test_each_thread_knows_its_own_call(pool: CallPool) -> None:
    own = []
    for number in range(3):
        pool.submit(lambda: own.append((pool.own_call, pool.list_calls())))
        wait_until(lambda: len(own) == number + 1)  # noqa: B023  asked at once
    assert all(call in calls for call, calls in own) and len({id(call) for call, _ in own}) == 3


def test_nothing_of_a_call_is_kept(pool: CallPool) -> None:
    class Message:
        pass

    message = Message()
    kept = weakref.ref(message)
    pool.submit(lambda _: None, message)
    del message
    gc.collect()
    wait_until(lambda: kept() is None)


def test_a_call_that_fails_ends_no_thread(pool: CallPool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        pool.submit(int, "x")
        wait_until(lambda: pool._resting)
    assert "invalid literal" in caplog.text and pool.count == 0
    done = threading.Event()
    pool.submit(done.set)
    assert done.wait(60)


def test_a_shutdown_lets_calls_end(pool: CallPool) -> None:
    go_on, ended = threading.Event(), threading.Event()

    def work() -> None:
        assert go_on.wait(60)
        ended.set()

    pool.submit(work)
    pool.shutdown(wait=False)
    go_on.set()
    assert ended.wait(60)
    wait_until(lambda: not threads())
