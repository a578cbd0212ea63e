"""Model cards describe the runs behind the weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from haleganada_server.core.fewshot.confidence import TEMPERATURE_COEFFICIENTS, UNKNOWN_COEFFICIENTS, Calibration
from haleganada_server.training.pretrain.network import NetworkShape
from haleganada_server.training.pretrain.release.card import (
    FILES,
    FOR_CALIBRATION,
    Metric,
    Recipe,
    Source,
    describe_weights,
    hash_inputs,
    list_sources,
    replace_calibration,
    write_cards,
)

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
    sources = [Source("Pens", "MIT", "drawn"), Source("Old fonts", "MIT", FOR_CALIBRATION)]
    metrics = [Metric("ECE, 1 shot", 2.0, "%", 300, "before"), Metric("errors", 5.0, "%", 200, "drawn")]
    write_cards(folder, shape, 100, recipe, sources, metrics, CALIBRATION)
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


def test_symbols_are_named_where_they_are_trained_on(tmp_path: Path) -> None:
    symbols = tmp_path / "symbols"
    symbols.mkdir()
    (symbols / "strokes.npz").write_bytes(b"strokes")
    assert not any("Detexify" in source.name for source in list_sources(tmp_path, None, None))
    (source,) = [source for source in list_sources(tmp_path, None, None, symbols) if "Detexify" in source.name]
    assert source.license == "ODbL 1.0"
    assert hash_inputs(tmp_path) == {} and list(hash_inputs(tmp_path, symbols)) == ["symbols/strokes.npz"]


def test_a_run_averaged_with_its_start_is_described_so(tmp_path: Path) -> None:
    shape, start = NetworkShape(80, 24), tmp_path / "start"
    write(start, shape)
    text = write(tmp_path / "further", shape, start, start)
    assert "the mean of those at the start and at the end of the run" in text
    assert "It started from another network:" in text and "imitated" not in text and "two checkpoints" not in text


def test_a_new_calibration_replaces_its_metrics_and_sources_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    write(folder, NetworkShape(80, 24))
    before = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    metric, source = Metric("ECE, 5 shots", 1.5, "%", 400, "after"), Source("New fonts", "OFL", FOR_CALIBRATION)
    replace_calibration(folder, replace(CALIBRATION, missing_labels=12.0), [metric], [source])
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert [figure["name"] for figure in card["figures"]] == ["errors", "ECE, 5 shots"]
    assert [one["name"] for one in card["training"]["sources"]] == ["Pens", "New fonts"]
    assert card["calibration"] == before["calibration"] | {"missing_labels": 12.0}
    changed = {key for key in card if card[key] != before[key]}
    assert changed == {"figures", "training", "calibration"}
    text = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Missing labels: 12." in text and "New fonts" in text and "Old fonts" not in text
