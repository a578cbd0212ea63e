"""Token buckets: who keeps to the rate is never refused, who does not gets no more, and is told when to return."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted
from haleganada_server.core.shares import rates
from haleganada_server.core.shares.effective import EffectiveLimits
from haleganada_server.core.shares.limits import BURST_S, ShareLimits
from haleganada_server.core.shares.overrides import Overrides
from haleganada_server.core.shares.rates import CallKind, Rate, Rates
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kept import Kept


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def make(per_second: float | None = 2.0, **callers: float | None) -> tuple[Rate, Clock]:
    """A rate of a server. callers: who have another one."""
    clock, kept = Clock(), Kept(Overrides({name: {"calls_per_second": rate} for name, rate in callers.items()}))
    limits = EffectiveLimits(ShareLimits(calls_per_second=per_second), kept)
    return Rate(CallKind.SHORT, limits, clock), clock


def take_all(rate: Rate, caller: str = "anna") -> tuple[int, Exhausted]:
    """Take until the bucket is empty; return how often that was possible, and the refusal."""
    for count in range(20_000):
        try:
            rate.take(caller)
        except Exhausted as refusal:
            return count, refusal
    raise AssertionError("never refused")


@given(st.floats(0.01, 1000))
def test_a_full_bucket_has_the_calls_of_its_seconds(per_second: float) -> None:
    rate, _ = make(per_second)
    count, _ = take_all(rate)
    assert abs(count - max(1, per_second * BURST_S)) <= 1


def test_what_a_refusal_says() -> None:
    rate, clock = make()
    _, refusal = take_all(rate)
    assert refusal.reason is Reason.RATE_EXCEEDED
    assert "2 calls" in refusal.message and "haleganada limits set --caller NAME calls-per-second=N" in refusal.message
    clock.now += refusal.retry_after_s
    rate.take("anna")  # as it said
    with pytest.raises(Exhausted):
        rate.take("anna")


def test_callers_have_buckets_of_their_own() -> None:
    rate, _ = make()
    take_all(rate)
    rate.take("ben")


@given(st.lists(st.floats(0, 3), min_size=50, max_size=200))
def test_in_any_stretch_nobody_gets_more_than_the_burst_and_the_rate(pauses: list[float]) -> None:
    rate, clock = make()
    let_in = list[float]()
    for pause in pauses:
        clock.now += pause
        try:
            rate.take("anna")
        except Exhausted:
            continue
        let_in.append(clock.now)
    for first, start in enumerate(let_in):
        for last in range(first, len(let_in)):
            assert last - first + 1 <= 2 * BURST_S + 2 * (let_in[last] - start) + 1


@given(st.integers(1, 300))
def test_who_keeps_to_the_rate_is_never_refused(calls: int) -> None:
    rate, clock = make()
    for _ in range(calls):
        rate.take("anna")
        clock.now += 0.5


def test_a_batch_is_let_in_and_owed() -> None:
    rate, clock = make()
    rate.take("anna")
    rate.charge("anna", 99)
    _, refusal = take_all(rate)
    assert refusal.retry_after_s == pytest.approx(40.5)  # of 100 drawings, 20 were in the bucket
    clock.now += 40.5
    rate.take("anna")


def test_many_callers_are_forgotten_once_their_buckets_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_MOST_CALLERS", 10)
    rate, clock = make()
    take_all(rate)
    for number in range(100):
        rate.take(f"caller {number}")
        clock.now += 1
    assert len(rate._full_at) <= 21  # anna, whose bucket takes ten seconds to fill, and the last ones
    take_all(rate)


def test_a_limit_of_none_bounds_nobody() -> None:
    found = Rates(EffectiveLimits(ShareLimits(calls_per_second=5), Kept(Overrides())))
    assert found.find(CallKind.SHORT).is_bounded
    assert not found.find(CallKind.TEACHING).is_bounded and not found.find(CallKind.LONG).is_bounded
    rate, _ = make(None)
    for _ in range(1000):
        rate.take("anna")


def test_single_callers_have_rates_of_their_own() -> None:
    rate, _ = make(2, anna=0.5, ravi=None)
    assert take_all(rate, "anna")[0] == 5 and take_all(rate, "ben")[0] == 20
    for _ in range(1000):
        rate.take("ravi")
    rate.charge("ravi", 1000)
    only, _ = make(None, anna=0.5)
    assert only.is_bounded
    count, refusal = take_all(only, "anna")
    assert count == 5 and "0.5 calls" in refusal.message
