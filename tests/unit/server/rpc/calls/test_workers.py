"""Turns are given in order and in equal parts, refused when too many wait, and left while a call only waits."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted
from haleganada_server.rpc.calls.call_pool import CallPool
from haleganada_server.rpc.calls.lane import ShortLane
from haleganada_server.rpc.calls.places import Shares
from haleganada_server.rpc.calls.workers import Workers
from hypothesis import given
from hypothesis import strategies as st

from tests.support.waiting import wait_until

ANNA, BEN, CARA = "anna", "ben", "cara"


class Calls:
    """Calls that wait for turns of these workers; each notes its caller when it has one, and ends."""

    def __init__(self, workers: Workers) -> None:
        self.workers, self.served = workers, list[str]()
        self.threads = list[threading.Thread]()

    def add(self, caller: str) -> None:
        """Let a call wait; it does when this returns."""
        _, before = self.workers.load()
        self.threads.append(threading.Thread(target=self._work, args=(caller,)))
        self.threads[-1].start()
        wait_until(lambda: self.workers.load()[1] == before + 1)

    def _work(self, caller: str) -> None:
        with self.workers.one(caller):
            self.served.append(caller)


@contextmanager
def waiting_calls(workers: Workers, holder: str = "somebody") -> Iterator[Calls]:
    """Hold the only turn for the block, in which calls can be added; at its end they are carried out."""
    calls = Calls(workers)
    with workers.one(holder):
        yield calls
    for thread in calls.threads:
        thread.join()


def is_refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except Exhausted:
        return True
    return False


def test_turns_in_order_and_refusals() -> None:
    workers, order = Workers(1, 2), list[int]()

    def work(number: int) -> None:
        with workers.one(ANNA):
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    with workers.one(ANNA):
        for count, thread in enumerate(threads):
            thread.start()
            wait_until(lambda: workers.load() == (1, count + 1))  # noqa: B023  asked at once
        with pytest.raises(Exhausted):
            workers.require_room(ANNA)
        with pytest.raises(Exhausted), workers.one(ANNA):
            pass
    for thread in threads:
        thread.join()
    assert order == [0, 1]
    workers.require_room(ANNA)


def test_who_is_about_to_arrive_counts_while_all_are_busy() -> None:
    workers = Workers(1, 2)
    workers.require_room(ANNA, lambda _: 5)
    with workers.one(ANNA), pytest.raises(Exhausted):
        workers.require_room(ANNA, lambda _: 2)


def test_a_pause_leaves_the_turn_to_others() -> None:
    workers = Workers(1, 0)
    with workers.one(ANNA):
        with pytest.raises(Exhausted), workers.one(BEN):
            pass
        with workers.pause(ANNA), workers.one(BEN):
            pass
        with pytest.raises(Exhausted), workers.one(BEN):
            pass


def test_a_full_queue_of_one_caller_has_room_for_another() -> None:
    with waiting_calls(Workers(1, 4)) as calls:
        for _ in range(4):
            calls.add(ANNA)
        assert is_refused(lambda: calls.workers.require_room(ANNA))
        calls.workers.require_room(BEN)
        calls.add(BEN)
        calls.add(BEN)
        assert is_refused(lambda: calls.workers.require_room(BEN))  # who now has half of the places
    assert Counter(calls.served) == {ANNA: 4, BEN: 2}


def test_however_many_callers_come_the_queue_has_an_end() -> None:
    with waiting_calls(Workers(1, 2)) as calls:
        for number in range(4):
            calls.add(f"caller {number}")
        assert is_refused(lambda: calls.workers.require_room("one more"))


def test_callers_take_turns() -> None:
    with waiting_calls(Workers(1, 6)) as calls:
        for caller in (ANNA, ANNA, ANNA, BEN, BEN, CARA):
            calls.add(caller)
    assert calls.served == [ANNA, BEN, CARA, ANNA, BEN, ANNA]


def test_the_next_turn_is_for_who_has_the_fewest() -> None:
    workers = Workers(3, 6)
    workers.begin(ANNA)
    workers.begin(BEN)
    with waiting_calls(workers, ANNA) as calls:
        calls.add(ANNA)
        calls.add(BEN)
        workers.end(ANNA)  # one is left for each of them; whose call waits longer is next
        wait_until(lambda: workers.load()[1] == 1)
        workers.end(BEN)
    assert sorted(calls.served) == [ANNA, BEN]
    assert workers.load() == (0, 0)


@given(st.lists(st.sampled_from((ANNA, BEN, CARA)), max_size=12))
def test_nobody_waits_longer_than_a_round_for_each_of_their_calls(callers: list[str]) -> None:
    with waiting_calls(Workers(1, 100)) as calls:
        for caller in callers:
            calls.add(caller)
    assert Counter(calls.served) == Counter(callers)
    for end in range(len(callers)):  # nobody has had two turns more than somebody who still waits
        so_far = Counter(calls.served[:end])
        still = [caller for caller in set(callers) if so_far[caller] < callers.count(caller)]
        assert max(so_far.values(), default=0) - min((so_far[caller] for caller in still), default=99) <= 1


def test_somebody_finds_no_room_once_all_places_are_taken() -> None:
    with waiting_calls(Workers(1, 2)) as calls:
        calls.add(ANNA)
        calls.workers.require_room("")
        calls.add(BEN)
        assert is_refused(lambda: calls.workers.require_room(""))


def test_a_call_is_refused_before_it_has_a_thread_if_its_caller_can_be_guessed() -> None:
    with waiting_calls(Workers(1, 1)) as calls:
        pool = CallPool(8, "test")
        lane = ShortLane(pool, Shares(8, 1.0, "too many", Reason.QUEUE_FULL), 1.0, calls.workers)
        lane.require_room(lambda: "")
        calls.add(ANNA)
        assert is_refused(lambda: lane.require_room(lambda: ""))
        assert is_refused(lambda: lane.require_room(lambda: ANNA))
        lane.require_room(lambda: BEN)
        lane.require_room(lambda: None)
        assert pool.count == 0
