"""The temperature that calibrates confidence."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.training.fit.temperature import fit_temperature


def draw_labels(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw labels with the probabilities that the logits give."""
    noise = rng.gumbel(size=logits.shape)
    return np.asarray((logits + noise).argmax(1))


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_a_known_temperature_is_found(temperature: float) -> None:
    rng = np.random.default_rng(0)
    calibrated = rng.normal(0, 2, (4000, 6))
    labels = draw_labels(calibrated, rng)
    assert fit_temperature(calibrated * temperature, labels) == pytest.approx(temperature, rel=0.08)


def test_without_samples_nothing_changes() -> None:
    assert fit_temperature(np.zeros((0, 4)), np.zeros(0, dtype=int)) == 1.0


def test_a_network_that_is_always_right_is_as_confident_as_its_samples_justify() -> None:
    def confidence(samples: int) -> float:
        logits = np.tile(np.eye(2) * 10, (samples // 2, 1))
        temperature = fit_temperature(logits, np.tile(np.arange(2), samples // 2))
        return float(1 / (1 + np.exp(-10 / temperature)))

    assert confidence(10) == pytest.approx(1 - 1 / 24, abs=1e-3)
    assert confidence(1000) == pytest.approx(1 - 1 / 2004, abs=1e-4)


def test_a_network_that_is_always_wrong_gets_the_highest_temperature() -> None:
    assert fit_temperature(np.eye(5) * 10, np.roll(np.arange(5), 1)) == pytest.approx(20, rel=0.01)


def test_huge_logits_give_a_finite_temperature() -> None:
    logits = np.array([[1e4, 0.0], [0.0, 1e4]], dtype=np.float32)
    assert np.isfinite(fit_temperature(logits, np.array([0, 1])))
