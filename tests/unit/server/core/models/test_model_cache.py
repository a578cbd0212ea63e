"""Few models stay in memory, each is loaded once however many ask, and a failure is not remembered."""

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
    """Finds every label equally probable."""

    labels: tuple[str, ...] = ("a", "b")

    def probabilities(self, rasters: NDArray[np.uint8]) -> Floats:
        return np.full((len(rasters), len(self.labels)), 1 / len(self.labels))


def test_the_one_unused_for_longest_leaves() -> None:
    loaded, made = ModelCache(capacity=2), list[str]()

    def get(name: str) -> Predictor:
        return loaded.get(name, lambda: made.append(name) or Predictor(Uniform(), "m"))  # type: ignore[func-returns-value]

    for name in "abacab":
        get(name)
    assert "".join(made) == "abcb"
    loaded.drop("a")
    get("a")
    assert "".join(made) == "abcba"


def test_many_who_ask_at_once_wait_for_one_load() -> None:
    loaded, begun, go = ModelCache(), list[int](), threading.Event()

    def load() -> Predictor:
        begun.append(1)
        go.wait(10)
        return Predictor(Uniform(), "m")

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(loaded.get, "m", load) for _ in range(8)]
        assert loaded.get("another", lambda: Predictor(Uniform(), "m")), "it need not wait for the slow one"
        go.set()
        assert len({id(call.result()) for call in asked}) == 1
    assert len(begun) == 1


def test_a_failure_is_tried_again() -> None:
    loaded = ModelCache()

    def fail() -> Predictor:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            loaded.get("m", fail)
    assert loaded.get("m", lambda: Predictor(Uniform(), "m"))
