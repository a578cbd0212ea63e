"""The shipped weights are intact, small, and name their sources."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import haleganada_server
import numpy as np
import pytest
from haleganada_server.core.fewshot.confidence import TEMPERATURE_COEFFICIENTS, UNKNOWN_COEFFICIENTS
from haleganada_server.training.pretrain.release.card import CALIBRATION_FORM, format_markdown
from haleganada_server.training.pretrain.release.export import open_session
from safetensors.numpy import load_file

Card = dict[str, Any]
WEIGHTS = Path(haleganada_server.__file__).parent / "weights"


@pytest.fixture(scope="module")
def card() -> Card:
    loaded: Card = json.loads((WEIGHTS / "card.json").read_text(encoding="utf-8"))
    return loaded


def test_every_file_matches_the_card(card: Card) -> None:
    for name, digest in card["sha256"].items():
        assert hashlib.sha256((WEIGHTS / name).read_bytes()).hexdigest() == digest, name


def test_the_package_stays_small() -> None:
    assert sum(p.stat().st_size for p in WEIGHTS.iterdir()) < 15e6


def test_sources_have_licenses_and_metrics_have_counts(card: Card) -> None:
    assert all(s["name"] and s["license"] for s in card["training"]["sources"])
    assert all(m["n"] >= 100 and m["how"] for m in card["figures"])
    assert not any("chars74k" in s["name"].lower() for s in card["training"]["sources"])


def test_the_card_for_people_has_all_of_the_generated_text(card: Card) -> None:
    """It also has a paragraph of its own, about drawings that changed during a run."""
    text = (WEIGHTS / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert set(format_markdown(card).splitlines()) <= set(text.splitlines())
    assert card["calibration"]["form"] == CALIBRATION_FORM


def test_the_head_matches_the_embedder(card: Card) -> None:
    head = load_file(WEIGHTS / "head.safetensors")
    session = open_session(WEIGHTS / "embedder.onnx")
    z = session.run(["embedding"], {"ink": np.zeros((2, 1, card["side"], card["side"]), np.float32)})[0]
    assert z.shape == (2, card["dim"])
    assert head["mean"].shape == (card["dim"],)
    assert head["projection"].shape == (card["dim"], len(head["between"]))
    assert all(a.dtype == np.float64 for a in head.values())
    assert (head["between"] > 0).all()
    assert len(card["calibration"]["temperature"]) == TEMPERATURE_COEFFICIENTS
    assert {len(numbers) for numbers in card["calibration"]["unknown"]} == {UNKNOWN_COEFFICIENTS}
