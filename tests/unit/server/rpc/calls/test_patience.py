"""Patience is used up by waiting and given back by bytes, never beyond its beginning."""

from __future__ import annotations

import time

from haleganada_server.rpc.calls.patience import Patience, Watchdog

from tests.support.waiting import wait_until


def test_bytes_give_patience_back_up_to_its_beginning() -> None:
    patience = Patience(10, 100, lambda: None)
    patience.earn(10**9)
    patience.begin()
    now = time.monotonic()
    assert not patience.is_over(now + 9) and patience.is_over(now + 11)


def test_a_trickle_runs_out_of_patience() -> None:
    patience = Patience(0.2, 1000, lambda: None)
    for _ in range(30):
        patience.begin()
        time.sleep(0.01)
        patience.end()
        patience.earn(1)
    patience.begin()
    assert patience.is_over(time.monotonic())


def test_the_watchdog_gives_up_once_for_each_second_over() -> None:
    watchdog, given_up = Watchdog(), list[float]()
    watchdog.start()
    try:
        with watchdog.waiting(Patience(0.1, 1000, lambda: given_up.append(time.monotonic()))):
            wait_until(lambda: len(given_up) >= 2)
        count = len(given_up)
        time.sleep(0.3)
        assert len(given_up) == count and given_up[1] - given_up[0] > 0.5
    finally:
        watchdog.stop()


def test_who_has_a_reason_to_stand_still_is_waited_for_and_then_has_all_the_patience() -> None:
    watchdog, given_up = Watchdog(), list[float]()
    patience = Patience(0.5, 1000, lambda: given_up.append(time.monotonic()))
    until = time.monotonic() + 1.5
    patience.is_excused = lambda: time.monotonic() < until
    watchdog.start()
    try:
        with watchdog.waiting(patience):
            wait_until(lambda: given_up)
        assert given_up[0] >= until + 0.2  # the watchdog looked last some time before the reason was over
    finally:
        watchdog.stop()
