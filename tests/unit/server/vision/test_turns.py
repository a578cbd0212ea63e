"""Large pictures take turns: one at a time, callers alternately, and nobody waits for a result that nobody wants."""

from __future__ import annotations

import gc
import math
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.errors import Cancelled, DeadlineExceeded, InvalidInput
from haleganada_server.vision.images.turns import Turns

from tests.support.waiting import wait_until


class Picture:
    """Stands for a decoded picture."""


class Work:
    """Work that begins and ends when the test says so, and that records how many run at once."""

    def __init__(self) -> None:
        self.running = self.most = 0
        self.order: list[str] = []
        self.go_on = threading.Event()

    def by(self, name: str) -> Callable[[], str]:
        def run() -> str:
            self.running += 1
            self.most = max(self.most, self.running)
            self.order.append(name)
            assert self.go_on.wait(60)
            self.running -= 1
            return name

        return run


def test_one_at_a_time_and_callers_alternate() -> None:
    turns, work, asked = Turns(), Work(), threading.Event()

    def is_active() -> bool:
        asked.set()
        return True

    def ask(name: str) -> None:
        for _ in range(3):
            assert turns.take(work.by(name), Cancellation(is_active, lambda: math.inf)) == name

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, "a")
        wait_until(lambda: work.order == ["a"])
        asked.clear()
        second = pool.submit(ask, "b")
        assert asked.wait(60)  # whoever waits for a turn asks now and then
        work.go_on.set()
        first.result(60), second.result(60)
    assert work.most == 1
    assert work.order[:2] == ["a", "b"] and sorted(work.order) == ["a"] * 3 + ["b"] * 3


@pytest.mark.parametrize(("active", "left", "expected"), [(False, math.inf, Cancelled), (True, 0.0, DeadlineExceeded)])
def test_a_caller_that_gives_up_leaves_the_queue(active: bool, left: float, expected: type[Exception]) -> None:
    turns, work = Turns(), Work()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(turns.take, work.by("a"))
        wait_until(lambda: work.order == ["a"])
        with pytest.raises(expected):
            turns.take(work.by("b"), Cancellation(lambda: active, lambda: left))
        work.go_on.set()
        first.result(60)
    assert turns.take(work.by("c")) == "c"
    assert work.order == ["a", "c"]


def test_a_refused_picture_is_not_kept() -> None:
    seen: list[weakref.ref[Picture]] = []

    def ask(turns: Turns) -> str:
        file = Picture()
        seen.append(weakref.ref(file))

        def refuse() -> None:
            picture = Picture()
            seen.append(weakref.ref(picture))
            raise InvalidInput("glyph", f"is blank, as {file}")

        try:
            turns.take(refuse)
        except InvalidInput as error:
            return error.field
        return ""

    turns = Turns()
    gc.disable()
    try:
        assert ask(turns) == "glyph"
        wait_until(lambda: [ref() for ref in seen] == [None, None], 10, "a cycle keeps them")
    finally:
        gc.enable()


def test_a_fault_is_reported_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        Turns().take(lambda: 1 // 0)
