"""Glyphs that are made of what are glyphs themselves, as Korean syllables are of letters: learned from what people have
settled on a page.

Where a settled glyph could be read as several, all of them labels, the same labels one after another are probably that
glyph elsewhere, too, unless people have settled them as several glyphs as often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .lattice import GlyphLattice
from .scoring import GroupScores

Span = tuple[int, int]
"""The first part of a group, and the one behind its last."""
Sequence = tuple[int, ...]
"""Labels of neighbors, as numbers in the head."""


def compose_labels(
    lattice: GlyphLattice,
    scores: GroupScores,
    settled: Mapping[int, int],
    price: float,
    allowed: NDArray[np.bool_] | None = None,
) -> GroupScores:
    """Return scores in which groups that labels make, one after another, may be what people have said that these make.
    settled: the number of the label of each settled group. price: nats for each unit of the log odds. allowed:
    (groups,) those that may change, by default all.
    """
    is_several = lattice.groups[:, 1] - lattice.groups[:, 0] > 1
    composed = [group for group in settled if is_several[group]]
    if not composed:
        return scores
    divisions = _Divisions(lattice, scores)
    made = _learn(divisions, lattice, settled, composed)
    values, labels = scores.values.copy(), scores.labels.copy()
    if not made:
        return scores
    if allowed is not None:
        is_several &= allowed
    for group in np.flatnonzero(is_several).tolist():
        value, sequence = divisions.find(*lattice.groups[group].tolist())
        label, odds = made.get(sequence, (-1, 0.0))
        if label >= 0 and group not in settled and value + price * odds > values[group]:
            values[group], labels[group] = value + price * odds, label
    return replace(scores, values=values, labels=labels)


class _Divisions:
    """The best ways of reading groups as several glyphs."""

    def __init__(self, lattice: GlyphLattice, scores: GroupScores) -> None:
        spans = map(tuple, lattice.groups.tolist())
        self._whole: dict[Span, tuple[float, int]] = dict(
            zip(spans, zip(scores.values.tolist(), scores.labels.tolist(), strict=True), strict=True)
        )
        self._boundaries = scores.boundaries.tolist()
        self._best: dict[Span, tuple[float, Sequence]] = {}

    def find(self, first: int, last: int) -> tuple[float, Sequence]:
        """Return the value of the best path from a part to another that is not one glyph, and its labels."""
        found: tuple[float, Sequence] = (-np.inf, ())
        for part in range(first + 1, last):
            if (tail := self._whole.get((part, last))) is None:
                continue
            value, sequence = self._find_any(first, part)
            value += tail[0] - self._boundaries[part]
            if value > found[0]:
                found = value, (*sequence, tail[1])
        return found

    def _find_any(self, first: int, last: int) -> tuple[float, Sequence]:
        """Return the same of the best path, which may be one glyph."""
        span = first, last
        if span not in self._best:
            value, label = self._whole.get(span, (-np.inf, -1))
            divided = self.find(first, last)
            self._best[span] = (value, (label,)) if value >= divided[0] else divided
        return self._best[span]


def _learn(
    divisions: _Divisions, lattice: GlyphLattice, settled: Mapping[int, int], composed: list[int]
) -> dict[Sequence, tuple[int, float]]:
    """Return what label sequences of labels make, and its log odds, where these are above 0."""
    whole: dict[Sequence, Counter[int]] = {}
    for group in composed:
        _, sequence = divisions.find(*lattice.groups[group].tolist())
        if settled[group] >= 0 and min(sequence, default=-1) >= 0 and settled[group] not in sequence:
            whole.setdefault(sequence, Counter())[settled[group]] += 1
    starting = dict(zip(lattice.groups[[*settled], 0].tolist(), settled, strict=True))
    labeled: dict[int, list[int]] = {}
    for group, label in settled.items():
        labeled.setdefault(label, []).append(group)
    made = {}
    for sequence, counts in whole.items():
        label, count = counts.most_common(1)[0]
        apart = sum(_begins(lattice, settled, starting, group, sequence) for group in labeled.get(sequence[0], ()))
        odds = float(np.log1p(count) - np.log1p(sum(counts.values()) - count + apart))
        if odds > 0:
            made[sequence] = label, odds
    return made


def _begins(
    lattice: GlyphLattice,
    settled: Mapping[int, int],
    starting: Mapping[int, int],
    group: int | None,
    sequence: Sequence,
) -> bool:
    """Return whether a settled group and those that follow it have these labels."""
    for label in sequence:
        if group is None or settled[group] != label:
            return False
        group = starting.get(int(lattice.groups[group, 1]))
    return True
