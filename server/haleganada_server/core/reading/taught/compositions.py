"""Glyphs that are made of what are glyphs themselves, as Korean syllables are of letters: learned from what people have
settled on a page.

Where a settled glyph could be read as two, both of which are labels, two such neighbors are probably that glyph
elsewhere, too, unless people have settled them as two glyphs as often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .lattice import GlyphLattice
from .scoring import GroupScores

Pair = tuple[int, int]
"""The labels of two neighbors, as numbers in the head."""


def compose_labels(lattice: GlyphLattice, scores: GroupScores, settled: Mapping[int, int], price: float) -> GroupScores:
    """Return scores in which groups that two labels make, one beside the other, may be what people have said that these
    make. settled: the number of the label of each settled group. price: nats for each unit of the log odds.
    """
    groups = {(first, last): number for number, (first, last) in enumerate(lattice.groups.tolist())}
    made = _learn(lattice, scores, settled, groups)
    if not made:
        return scores
    values, labels = scores.values.copy(), scores.labels.copy()
    sizes = lattice.groups[:, 1] - lattice.groups[:, 0]
    for group in np.argsort(sizes, kind="stable").tolist():
        for part, left, right in _divide(lattice, group, groups):
            label, odds = made.get((int(labels[left]), int(labels[right])), (-1, 0.0))
            value = values[left] + values[right] - scores.boundaries[part] + price * odds
            if label >= 0 and group not in settled and value > values[group]:
                values[group], labels[group] = value, label
    return replace(scores, values=values, labels=labels)


def _learn(
    lattice: GlyphLattice, scores: GroupScores, settled: Mapping[int, int], groups: Mapping[tuple[int, int], int]
) -> dict[Pair, tuple[int, float]]:
    """Return what label pairs of labels make, and its log odds, where these are above 0."""
    whole: dict[Pair, Counter[int]] = {}
    for group, label in settled.items():
        for _, left, right in _divide(lattice, group, groups):
            pair = int(scores.labels[left]), int(scores.labels[right])
            if label >= 0 and min(pair) >= 0 and label not in pair:
                whole.setdefault(pair, Counter())[label] += 1
    starting = {int(lattice.groups[group, 0]): label for group, label in settled.items()}
    apart = Counter((label, starting.get(int(lattice.groups[group, 1]), -1)) for group, label in settled.items())
    made = {}
    for pair, counts in whole.items():
        label, count = counts.most_common(1)[0]
        odds = float(np.log1p(count) - np.log1p(counts.total() - count + apart[pair]))
        if odds > 0:
            made[pair] = label, odds
    return made


def _divide(lattice: GlyphLattice, group: int, groups: Mapping[tuple[int, int], int]) -> list[tuple[int, int, int]]:
    """Return each part before which a group may be two groups, with these."""
    first, last = lattice.groups[group].tolist()
    pairs = [(part, groups.get((first, part), -1), groups.get((part, last), -1)) for part in range(first + 1, last)]
    return [one for one in pairs if min(one) >= 0]
