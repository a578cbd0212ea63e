"""Counting values by size."""

from __future__ import annotations

import math
import threading

from haleganada_server.core.measures import Histogram
from hypothesis import given
from hypothesis import strategies as st

BOUNDS = (0.5, 1.0, 10.0)


@given(st.lists(st.one_of(st.sampled_from(BOUNDS), st.floats(0, 100))))
def test_each_value_counts_up_to_the_first_bound_that_is_not_below_it(values: list[float]) -> None:
    histogram = Histogram(BOUNDS)
    for value in values:
        histogram.add(value)
    found = histogram.read()
    for place, bound in enumerate((*BOUNDS, math.inf)):
        assert sum(found.counts[: place + 1]) == sum(value <= bound for value in values)
    assert math.isclose(found.total, sum(values), abs_tol=1e-9)


def test_no_value_is_lost_between_threads() -> None:
    histogram = Histogram(BOUNDS)

    def add_many() -> None:
        for _ in range(2000):
            histogram.add(0.7)

    threads = [threading.Thread(target=add_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert histogram.read().counts == (0, 8000, 0, 0)


def test_a_block_that_fails_is_timed() -> None:
    histogram = Histogram(BOUNDS)
    try:
        with histogram.count_seconds():
            raise ValueError
    except ValueError:
        pass
    assert sum(histogram.read().counts) == 1
