"""Whole pages: each engine as it comes, the same engine in our hands, and AUTO, which is told nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from haleganada_server.reading.engines import ENGINES

from tests.bench.reading.pipelines import language_for, read_as_it_comes, read_ours
from tests.bench.reading.scores import Score, rate, score, tell
from tests.bench.reading.sets import Sample, Set, load_pages
from tests.bench.reading.variants import VARIANTS
from tests.bench.table import Table

_COLUMNS = ("set", "engine", "as it comes, CER", "ours, CER", "difference", "as it comes, s", "ours, s", "pages")


@dataclass
class _Run:
    """What one way of reading made of the pages. seconds: of one core, in all."""

    scores: list[Score] = field(default_factory=list)
    seconds: float = 0.0

    def read(self, sample: Sample, how: Callable[[], str]) -> None:
        started = _cpu_seconds()
        text = how()
        self.seconds += _cpu_seconds() - started
        self.scores.append(score(text, sample.text))


def measure(data: Path, sets: Sequence[Set], count: int, seed: int) -> list[Table]:
    """count: pages of each set."""
    beside = Table("Pages", _COLUMNS)
    auto = Table("AUTO", ("set", "AUTO, CER", "the better engine, CER", "difference", "pages"))
    for which in sets:
        samples = load_pages(data, which, count, seed)
        ours = _compare(beside, which, samples)
        run = _Run()
        for sample in samples:
            run.read(sample, partial(_read_ours, sample))
        engine, best = min(ours.items(), key=lambda item: rate(item[1].scores))
        cells = tell(run.scores), f"{tell(best.scores)}, {engine}", _points(run, best), str(len(samples))
        auto.add(which.name, *cells)
    return [beside, auto]


def measure_variants(data: Path, sets: Sequence[Set], count: int, seed: int) -> Table:
    """Compare on pages of the printed sets that were turned, skewed or put side by side. count: pages of each set."""
    table = Table("Turned, skewed and two-column pages", _COLUMNS)
    for which in sets:
        if which.hand:
            continue
        samples = load_pages(data, which, count, seed)
        for variant in VARIANTS:
            _compare(table, which, variant.make(samples), f"{which.name}, {variant.name}")
    return table


def _compare(table: Table, which: Set, samples: Sequence[Sample], name: str = "") -> dict[str, _Run]:
    """Add a row for each engine; return what ours made of the pages."""
    found: dict[str, _Run] = {}
    for engine in (engine.id for engine in ENGINES if language_for(engine.id, which)):
        alone, ours = _Run(), _Run()
        for sample in samples:
            alone.read(sample, partial(read_as_it_comes, engine, sample.picture, which))
            ours.read(sample, partial(_read_ours, sample, engine, which))
        found[engine] = ours
        times = (f"{run.seconds / len(samples):.1f}" for run in (alone, ours))
        cells = tell(alone.scores), tell(ours.scores), _points(ours, alone), *times, str(len(samples))
        table.add(name or which.name, engine, *cells)
    return found


def _read_ours(sample: Sample, engine: str = "", which: Set | None = None) -> str:
    return read_ours(sample.picture, engine, which).text


def _cpu_seconds() -> float:
    """Return what this process and the commands that it ran have had of the processor so far."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _points(run: _Run, other: _Run) -> str:
    """Return the difference of the error rates in points."""
    return f"{(rate(run.scores) - rate(other.scores)) * 100:+.2f}"
