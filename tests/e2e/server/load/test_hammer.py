"""32 clients teach and predict together: every prediction equals one that some published revision would give."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
from haleganada_client import HaleganadaError
from haleganada_client.types import Prediction

from tests.e2e.processes import ServerProcess, server, zigzag
from tests.support.slow import slow
from tests.support.waiting import wait_until

CLIENTS = 32
QUERIES = 4
PROVISIONAL = 0.2  # how far an answer may be off, among few labels, before the head has adapted to the last samples


@pytest.mark.parametrize("taught", slow(8, 200))
def test_every_prediction_is_one_revisions_own(tmp_path: Path, taught: int) -> None:
    seen: list[tuple[int, Prediction]] = []
    lessons: dict[int, tuple[int, int, str]] = {}
    failures: list[str] = []
    with server(tmp_path / "hammered") as running:
        stop = threading.Event()
        workers = [
            threading.Thread(target=_teach if i % 8 == 0 else _ask, args=(running, i, stop, lessons, seen, failures))
            for i in range(CLIENTS)
        ]
        for worker in workers:
            worker.start()
        try:
            wait_until(lambda: failures or (len(lessons) >= taught and len(seen) >= 10 * taught), 600)
        finally:
            stop.set()
        for worker in workers:
            worker.join(60)
    assert not failures, failures[:3]
    _compare(tmp_path / "replayed", lessons, seen)


def _teach(
    running: ServerProcess,
    number: int,
    stop: threading.Event,
    lessons: dict[int, tuple[int, int, str]],
    seen: list[tuple[int, Prediction]],
    failures: list[str],
) -> None:
    chance = random.Random(number)
    try:
        with running.client() as client:
            while not stop.is_set():
                character, hand = chance.randrange(12), chance.randrange(100)
                taught = client.train(zigzag(character, hand), f"L{character}")
                lessons[taught.revision] = (character, hand, f"L{character}")
                stop.wait(0.1)  # so that the replay below stays short
    except HaleganadaError as error:
        failures.append(error.message)


def _ask(
    running: ServerProcess,
    number: int,
    stop: threading.Event,
    lessons: dict[int, tuple[int, int, str]],
    seen: list[tuple[int, Prediction]],
    failures: list[str],
) -> None:
    chance = random.Random(number)
    try:
        with running.client() as client:
            while not stop.is_set():
                query = chance.randrange(QUERIES)
                least = chance.choice((None, 0))  # 0: the answer waits until it is final
                seen.append((query, client.predict(zigzag(query, 200), top_k=50, min_revision=least)))
    except HaleganadaError as error:
        failures.append(error.message)


def _compare(data: Path, lessons: dict[int, tuple[int, int, str]], seen: list[tuple[int, Prediction]]) -> None:
    """Teach the same in the same order to a fresh server; ask after each revision; compare."""
    assert sorted(lessons) == list(range(1, len(lessons) + 1)), "revisions have gaps"
    expected: dict[tuple[int, int], dict[str, float]] = {}
    with server(data) as running, running.client() as client:
        for revision in range(len(lessons) + 1):
            if revision:
                character, hand, label = lessons[revision]
                client.train(zigzag(character, hand), label)
            for query in range(QUERIES):
                final = client.predict(zigzag(query, 200), top_k=50, min_revision=revision)
                expected[query, revision] = _shares(final)
    for query, prediction in seen:
        tolerance = PROVISIONAL if prediction.provisional else 1e-9
        assert _shares(prediction) == pytest.approx(expected[query, prediction.revision], abs=tolerance)


def _shares(prediction: Prediction) -> dict[str, float]:
    return {c.label: c.probability for c in prediction.candidates} | {"": prediction.unknown_probability}
