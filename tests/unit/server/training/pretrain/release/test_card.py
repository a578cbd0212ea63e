"""Model cards describe the runs behind the weights."""

from __future__ import annotations

import json
from pathlib import Path

from haleganada_server.core.fewshot.confidence import TEMPERATURE_COEFFICIENTS, UNKNOWN_COEFFICIENTS, Calibration
from haleganada_server.runtime.network import NetworkShape
from haleganada_server.training.pretrain.release.card import FILES, Recipe, describe_weights, write_cards

CALIBRATION = Calibration((0.0,) * TEMPERATURE_COEFFICIENTS, ((0.0,) * UNKNOWN_COEFFICIENTS,) * 3)


def write(folder: Path, shape: NetworkShape, teacher: Path | None = None, averaged: Path | None = None) -> str:
    """Write a folder of weights, whose files contain only its name, and return its card for people."""
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(folder.name)
    facts = [describe_weights(one) if one else None for one in (teacher, averaged)]
    recipe = Recipe(
        seed=7,
        steps=10,
        minutes=80.0,
        drawings=1920,
        shrinkage={},
        inputs={},
        teacher=facts[0],
        averaged=facts[1],
    )
    write_cards(folder, shape, 100, recipe, [], [], CALIBRATION)
    return (folder / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_a_card_describes_the_whole_lineage(tmp_path: Path) -> None:
    assert "imitated" not in write(tmp_path / "wide", NetworkShape(64, 32))
    first = write(tmp_path / "narrow", NetworkShape(64, 24), tmp_path / "wide")
    assert (
        "It started from the strongest channels of a wider network and imitated" in first
        and "two checkpoints" not in first
    )
    shape = NetworkShape(80, 24)
    write(tmp_path / "large", shape, tmp_path / "narrow")
    text = write(tmp_path / "both", shape, tmp_path / "narrow", tmp_path / "large")
    wide, narrow, large = (describe_weights(tmp_path / name) for name in ("wide", "narrow", "large"))
    assert "Its weights are the mean of two checkpoints" in text
    assert "It started from another network for 64 x 64 rasters" in text and narrow["sha256"] in text
    assert "That network started from the strongest channels of a wider network" in text and wide["sha256"] in text
    training = json.loads((tmp_path / "both" / "card.json").read_text(encoding="utf-8"))["training"]
    assert training["teacher"] == narrow and training["teacher"]["teacher"] == wide
    assert training["averaged"] == large


def test_a_run_averaged_with_its_start_is_described_so(tmp_path: Path) -> None:
    shape, start = NetworkShape(80, 24), tmp_path / "start"
    write(start, shape)
    text = write(tmp_path / "further", shape, start, start)
    assert "the mean of those at the start and at the end of the run" in text
    assert "It started from another network and imitated it" in text and "two checkpoints" not in text
