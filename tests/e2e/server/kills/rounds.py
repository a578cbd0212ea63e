"""kill -9 at random moments while several teachers teach: what was acknowledged must be there, once, and in order."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from haleganada_client import HaleganadaError

from tests.e2e.processes import ServerProcess, start_server, zigzag
from tests.support.waiting import wait_until

TEACHERS = 4
ENOUGH = 2
"""Samples that are acknowledged in a round before the kill, in three rounds of four."""


@dataclass
class Acknowledged:
    """What teachers were told is on disk: request_id -> (sample_id, label), and each teacher's own order."""

    samples: dict[str, tuple[int, str]] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)


def run_rounds(data: Path, rounds: int, seed: int, longest_s: float = 0.25) -> int:
    """Teach and kill `rounds` times on one data directory, checking after each; the number of acknowledged samples."""
    chance, told = random.Random(seed), Acknowledged()
    running = start_server(data)
    try:
        for number in range(rounds):
            _teach_until_killed(running, told, number, chance.uniform(0.005, longest_s))
            running = start_server(data)
            _check(running, told)
    finally:
        running.kill()
    return len(told.samples)


def _teach_until_killed(running: ServerProcess, told: Acknowledged, number: int, after_s: float) -> None:
    teachers = [threading.Thread(target=_teach, args=(running, told, f"{number}-{i}")) for i in range(TEACHERS)]
    for teacher in teachers:
        teacher.start()
    if number % 4:  # now and then it is killed before anything is acknowledged
        wait_until(lambda: sum(request.startswith(f"{number}-") for request in list(told.samples)) >= ENOUGH)
    time.sleep(after_s)
    running.kill()
    for teacher in teachers:
        teacher.join(30)
        assert not teacher.is_alive()


def _teach(running: ServerProcess, told: Acknowledged, name: str) -> None:
    with running.client(retry=False) as client:  # the killed server does not come back at this address
        for i in range(10_000):
            request_id, label = f"{name}-{i}", f"L{i % 7}"
            told.unanswered.add(request_id)
            try:
                taught = client.train(zigzag(i % 7, i), label, request_id=request_id)
            except HaleganadaError:
                return
            told.samples[request_id] = (taught.sample_id, label)
            told.unanswered.discard(request_id)


def _check(running: ServerProcess, told: Acknowledged) -> None:
    with running.client() as client:
        found = {sample.sample_id: sample.label for sample in client.iter_samples()}
        lost = {r: s for r, s in told.samples.items() if found.get(s[0]) != s[1]}
        assert not lost, f"acknowledged but lost or changed: {lost}"
        ids = [sample_id for sample_id, _ in told.samples.values()]
        assert len(ids) == len(set(ids)), "two acknowledgements share a sample"
        # Beyond what was acknowledged there may only be calls whose answer the kill cut off, each at most once.
        assert len(found) <= len(told.samples) + len(told.unanswered)
        assert client.get_workspace().samples_total == len(found)
    _check_order(told)


def _check_order(told: Acknowledged) -> None:
    """A teacher's later acknowledgement has the greater number."""
    by_teacher: dict[str, list[int]] = {}
    for request_id, (sample_id, _) in told.samples.items():
        by_teacher.setdefault(request_id.rpartition("-")[0], []).append(sample_id)
    assert all(ids == sorted(ids) for ids in by_teacher.values())
