"""The cache keeps a few models, loads each once for concurrent callers, and forgets failures."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from haleganada_server.core.models.classification import Floats, Predictor
from haleganada_server.core.models.model_cache import ModelCache
from numpy.typing import NDArray


@dataclass(frozen=True)
class Uniform:
    """A classifier with equal probabilities for all labels."""

    labels: tuple[str, ...] = ("a", "b")

    def classify(self, rasters: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        return np.full((len(rasters), len(self.labels)), 1 / len(self.labels)), np.zeros(len(rasters))


def test_the_least_recently_used_model_is_evicted() -> None:
    cache, loads = ModelCache(capacity=2), list[str]()

    def get(name: str) -> Predictor:
        return cache.get(name, lambda: loads.append(name) or Predictor(Uniform(), "m"))  # type: ignore[func-returns-value]

    for name in "abacab":
        get(name)
    assert "".join(loads) == "abcb"
    cache.drop("a")
    get("a")
    assert "".join(loads) == "abcba"


def test_concurrent_callers_wait_for_one_load() -> None:
    cache, started, go = ModelCache(), list[int](), threading.Event()

    def load() -> Predictor:
        started.append(1)
        go.wait(10)
        return Predictor(Uniform(), "m")

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(cache.get, "m", load) for _ in range(8)]
        assert cache.get("another", lambda: Predictor(Uniform(), "m")), "it need not wait for the slow one"
        go.set()
        assert len({id(call.result()) for call in asked}) == 1
    assert len(started) == 1


def test_a_failed_load_is_tried_again() -> None:
    cache = ModelCache()

    def fail() -> Predictor:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            cache.get("m", fail)
    assert cache.get("m", lambda: Predictor(Uniform(), "m"))
