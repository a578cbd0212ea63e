"""What a card tells of the runs behind the weights."""

from __future__ import annotations

import json
from pathlib import Path

from haleganada_server.core.fewshot.confidence import TEMPERATURE_NUMBERS, UNKNOWN_NUMBERS, Calibration
from haleganada_server.runtime.network import NetworkShape
from haleganada_server.training.pretrain.release.card import FILES, Recipe, weights_facts, write_cards

CALIBRATION = Calibration((0.0,) * TEMPERATURE_NUMBERS, ((0.0,) * UNKNOWN_NUMBERS,) * 3)


def written(folder: Path, shape: NetworkShape, teacher: Path | None = None, averaged: Path | None = None) -> str:
    """The card for people of weights of this shape, whose files hold nothing but their folder's name."""
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(folder.name)
    facts = [weights_facts(one) if one else None for one in (teacher, averaged)]
    recipe = Recipe(7, 10, 80.0, 1920, {}, {}, *facts)
    write_cards(folder, shape, 100, recipe, [], [], CALIBRATION)
    return (folder / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_a_card_tells_the_whole_lineage(tmp_path: Path) -> None:
    assert "imitated" not in written(tmp_path / "wide", NetworkShape(64, 32))
    first = written(tmp_path / "narrow", NetworkShape(64, 24), tmp_path / "wide")
    assert "It started as the strongest channels of a wider network, and imitated" in first and "two ends" not in first
    shape = NetworkShape(80, 24)
    written(tmp_path / "large", shape, tmp_path / "narrow")
    text = written(tmp_path / "both", shape, tmp_path / "narrow", tmp_path / "large")
    wide, narrow, large = (weights_facts(tmp_path / name) for name in ("wide", "narrow", "large"))
    assert "Its weights are the mean of two ends" in text
    assert "It started as another network for 64 x 64 rasters" in text and narrow["sha256"] in text
    assert "That one started as the strongest channels of a wider network" in text and wide["sha256"] in text
    training = json.loads((tmp_path / "both" / "card.json").read_text(encoding="utf-8"))["training"]
    assert training["teacher"] == narrow and training["teacher"]["teacher"] == wide
    assert training["averaged"] == large


def test_a_run_averaged_with_what_it_started_as_is_told_so(tmp_path: Path) -> None:
    shape, start = NetworkShape(80, 24), tmp_path / "start"
    written(start, shape)
    text = written(tmp_path / "further", shape, start, start)
    assert "the mean of those that the run started with and those that it ended with" in text
    assert "It started as another network, and imitated it" in text and "two ends" not in text
