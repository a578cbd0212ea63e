"""Turns are given in order, refused when too many wait, and left while a call only waits."""

from __future__ import annotations

import threading

import pytest
from haleganada_server.core.errors import Exhausted
from haleganada_server.rpc.calls.workers import Workers

from tests.waiting import wait_until


def test_turns_in_order_and_refusals() -> None:
    workers, order = Workers(1, 2), list[int]()

    def work(number: int) -> None:
        with workers.one():
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    with workers.one():
        for count, thread in enumerate(threads):
            thread.start()
            wait_until(lambda: len(workers._waiting) == count + 1)  # noqa: B023  asked at once
        with pytest.raises(Exhausted):
            workers.require_room()
        with pytest.raises(Exhausted), workers.one():
            pass
    for thread in threads:
        thread.join()
    assert order == [0, 1]
    workers.require_room()


def test_who_is_about_to_arrive_counts_while_all_are_busy() -> None:
    workers = Workers(1, 2)
    workers.require_room(lambda: 5)
    with workers.one(), pytest.raises(Exhausted):
        workers.require_room(lambda: 2)


def test_a_pause_leaves_the_turn_to_others() -> None:
    workers = Workers(1, 0)
    with workers.one():
        with pytest.raises(Exhausted), workers.one():
            pass
        with workers.pause(), workers.one():
            pass
        with pytest.raises(Exhausted), workers.one():
            pass
