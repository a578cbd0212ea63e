"""Whatever is damaged in the data directory, it is refused, repaired or told: the short form of make bench-damage."""

from __future__ import annotations

import pytest
from haleganada_server.store.sample_log import log

from tests.bench.damage import records, workspace
from tests.support.slow import slow


@pytest.mark.parametrize(("seed", "size"), [(1, "small"), (2, "large")])
def test_no_damage_of_a_workspace_is_silent(seed: int, size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if size == "large":
        monkeypatch.setattr(log, "_LARGE", 0)  # opened as a large one is
    outcomes = workspace.measure(30, seed)
    assert sum(counts["SILENT"] for counts in outcomes.values()) == 0
    assert sum(counts["refused"] for counts in outcomes.values()) > 3


@pytest.mark.parametrize("rounds", [26, *slow(130)])  # of thirteen kinds of files
def test_no_damage_of_models_data_sets_and_jobs_is_silent(rounds: int) -> None:
    outcomes = records.measure(rounds)
    assert min(counts.total() for counts in outcomes.values()) == rounds // len(outcomes)
    assert sum(counts["SILENT"] for counts in outcomes.values()) == 0
    assert sum(counts["refused"] for counts in outcomes.values()) > rounds / 6
