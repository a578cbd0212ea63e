"""One place for each limit: the comments of the contract and the clients' copies say what the server checks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from haleganada_server.core import limits

ROOT = Path(__file__).parents[2]
RANGES: dict[str, limits.Range[int] | limits.Range[float]] = {
    "top_k": limits.TOP_K,
    "page_size": limits.PAGE_SIZE,
    "history_points": limits.HISTORY_POINTS,
    "keep": limits.KEPT_SNAPSHOTS,
    "older_than_seconds": limits.SNAPSHOT_AGE_S,
    "wait_learned_ms": limits.WAIT_LEARNED_MS,
    "validation_share": limits.SPLIT_SHARE,
    "test_share": limits.SPLIT_SHARE,
    "drawings": limits.PREVIEW_DRAWINGS,
    "views": limits.PREVIEW_VIEWS,
    "epochs": limits.EPOCHS,
    "batch_size": limits.BATCH_SIZE,
    "learning_rate": limits.LEARNING_RATE,
    "weight_decay": limits.WEIGHT_DECAY,
    "patience": limits.PATIENCE,
    "accumulation": limits.ACCUMULATION,
    "frozen_epochs": limits.FROZEN_EPOCHS,
    "checkpoint_every": limits.CHECKPOINT_EVERY,
    "replay": limits.REPLAY,
    "steps": limits.ONLINE_STEPS,
}
DEFAULTS = {
    "top_k": limits.DEFAULT_TOP_K,
    "page_size": limits.DEFAULT_PAGE_SIZE,
    "history_points": limits.DEFAULT_HISTORY_POINTS,
    "validation_share": limits.DEFAULT_SPLIT_SHARE,
    "test_share": limits.DEFAULT_SPLIT_SHARE,
    "drawings": limits.DEFAULT_PREVIEW_DRAWINGS,
    "views": limits.DEFAULT_PREVIEW_VIEWS,
    "patience": limits.DEFAULT_PATIENCE,
    "accumulation": limits.DEFAULT_ACCUMULATION,
    "checkpoint_every": limits.DEFAULT_CHECKPOINT_EVERY,
    "replay": limits.DEFAULT_REPLAY,
    "steps": limits.DEFAULT_ONLINE_STEPS,
}
SIZES = {
    "image": (
        f"{limits.MAX_IMAGE_BYTES >> 20} MiB",
        f"{limits.MAX_IMAGE_PIXELS // 10**6} million pixels",
        f"{limits.MAX_IMAGE_SIDE:,}",
    ),
    "strokes": (f"{limits.MAX_STROKES:,}", f"{limits.MAX_POINTS:,} points"),
    "refused": (f"at most {limits.MAX_LISTED_ITEMS:,}",),
    "quick": (f"at most {limits.QUICK_EVALUATION_DRAWINGS:,} drawings",),
}


def field_comments() -> dict[str, list[str]]:
    """Return the comments above the contract's fields, by the fields' names."""
    found = defaultdict(list)
    for path in sorted((ROOT / "proto").rglob("*.proto")):
        comment: list[str] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if field := re.match(r"\s+(?:repeated |optional )?[\w.]+ (\w+) = \d+;", line):
                found[field[1]].append(" ".join(comment))
            comment = [*comment, line.strip(" /")] if line.strip().startswith("//") else []
    return found


COMMENTS = field_comments()


@pytest.mark.parametrize("name", RANGES)
def test_ranges_in_the_contract(name: str) -> None:
    stated = [
        re.search(r"Range: (above )?([\d.,]*\d)(?: \([^)]*\))?,? to ([\d.,]*\d)", text) for text in COMMENTS[name]
    ]
    ranges = [(match[1] is not None, _number(match[2]), _number(match[3])) for match in stated if match]
    expected = RANGES[name]
    assert ranges and set(ranges) == {(expected.open, *expected.bounds)}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_in_the_contract(name: str) -> None:
    stated = [re.search(r"Default(?: \([^)]*\))?: ([\d.,]*\d)", text) for text in COMMENTS[name]]
    assert {_number(match[1]) for match in stated if match} == {DEFAULTS[name]}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_in_the_contract(name: str) -> None:
    assert any(all(size in text for size in SIZES[name]) for text in COMMENTS[name])


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def test_the_clients_copies_are_up_to_date() -> None:
    check = [sys.executable, str(ROOT / "proto" / "generate_limits.py"), "--check"]
    assert subprocess.run(check, capture_output=True, text=True).stderr == ""


def test_a_range_includes_its_bounds_unless_it_is_open() -> None:
    assert limits.EPOCHS.includes(1) and limits.EPOCHS.includes(10_000) and not limits.EPOCHS.includes(0)
    assert not limits.LEARNING_RATE.includes(0) and limits.LEARNING_RATE.includes(1)
    assert not limits.WEIGHT_DECAY.includes(float("nan")) and limits.WEIGHT_DECAY.includes(0)
    assert [str(limits.BATCH_SIZE), str(limits.LEARNING_RATE)] == ["1 to 4,096", "above 0 to 1"]
