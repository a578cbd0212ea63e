"""Splits items into training, validation and test parts.

A split depends only on the items and the seed: items and writers are ordered by a keyed hash of their content, never by
their position in a file. Parts that the source defines are kept; missing ones are taken from its training items.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from haleganada_server.core.errors import InvalidInput

from .dataset import DatasetOptions, ItemFacts, Part, SplitRule

_HELD_OUT = (Part.TEST, Part.VALIDATION)


@dataclass(frozen=True, slots=True)
class _Shares:
    """Shares of the items to split, 0..0.5 each; 0 for a part that the source defines."""

    test: float
    validation: float

    def of(self, part: Part) -> float:
        return self.test if part is Part.TEST else self.validation


def split(items: Sequence[ItemFacts], options: DatasetOptions) -> list[Part]:
    """Return the part of each item. Raises InvalidInput if the split has to be by writer and cannot be."""
    given = {item.part for item in items}
    shares = _Shares(
        0.0 if Part.TEST in given else options.test_share,
        0.0 if Part.VALIDATION in given else options.validation_share,
    )
    unassigned = [i for i, item in enumerate(items) if item.part in (None, Part.TRAIN)]
    chosen = [items[i] for i in unassigned]
    assigned = _assign(chosen, shares, options)
    parts = [item.part or Part.TRAIN for item in items]
    for i, part in zip(unassigned, assigned, strict=True):
        parts[i] = part
    if options.split is SplitRule.BY_WRITER:
        _require_separate_writers(items, parts)
    return parts


def _require_separate_writers(items: Sequence[ItemFacts], parts: Sequence[Part]) -> None:
    """Raise InvalidInput if the source itself has a writer in two parts."""
    part_of: dict[str, Part] = {}
    for item, part in zip(items, parts, strict=True):
        if part_of.setdefault(item.writer, part) is not part:
            who = f"writer {item.writer[:40]}" if item.writer else "an unnamed writer"
            raise InvalidInput("split", f"cannot be by writer, because {who} is in two parts of the source")


def _assign(items: Sequence[ItemFacts], shares: _Shares, options: DatasetOptions) -> list[Part]:
    """Return the part of each item. Raises InvalidInput if the split has to be by writer and cannot be."""
    if options.split is not SplitRule.STRATIFIED and items:
        problem = _explain_missing_writers(items, shares)
        assigned = None if problem else _split_by_writer(items, shares, options.seed)
        if assigned is not None:
            return assigned
        if options.split is SplitRule.BY_WRITER:
            why = problem or "a label would have no drawing left to train on"
            raise InvalidInput("split", f"cannot be by writer, because {why}; leave it out, or choose stratified")
    return _split_stratified(items, shares, options.seed)


def _explain_missing_writers(items: Sequence[ItemFacts], shares: _Shares) -> str:
    """Return why the known writers are not enough; "" if they are."""
    writers = {item.writer for item in items}
    if "" in writers:
        return "not every item names its writer"
    needed = 1 + sum(shares.of(part) > 0 for part in _HELD_OUT)
    return f"{needed} writers are needed, and there are {len(writers)}" if len(writers) < needed else ""


def _split_by_writer(items: Sequence[ItemFacts], shares: _Shares, seed: int) -> list[Part] | None:
    """Assign whole writers, in the seed's order, until each part has its share of the items; at least one for each
    part.

    A writer stays in the training part if a label could not be trained otherwise. Returns None if that leaves a part
    empty.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        counts[item.writer][item.label] += 1
    left = sum(counts.values(), Counter[str]())
    part_of = dict.fromkeys(counts, Part.TRAIN)
    for part in _HELD_OUT:
        share = shares.of(part) * len(items)
        taken = 0
        for writer in sorted(counts, key=lambda name: _rank(seed, part.name, name.encode())):
            own = counts[writer]
            if part_of[writer] is not Part.TRAIN or _is_needed(own, left):
                continue
            if share > 0 and (not taken or taken + own.total() / 2 <= share):  # closer to the share with this writer
                part_of[writer] = part
                left -= own
                taken += own.total()
        if share > 0 and not taken:
            return None
    return [part_of[item.writer] for item in items]


def _is_needed(own: Counter[str], left: Counter[str]) -> bool:
    """Return whether a label has no other drawings left to train on than these."""
    return any(left[label] <= count for label, count in own.items() if label)


def _split_stratified(items: Sequence[ItemFacts], shares: _Shares, seed: int) -> list[Part]:
    """Assign the same shares of each label, rounded; at least one item of each label is left to train on."""
    by_label: dict[str, list[int]] = defaultdict(list)
    for i, item in enumerate(items):
        by_label[item.label].append(i)
    parts = [Part.TRAIN] * len(items)
    for label, own in by_label.items():
        own.sort(key=lambda i: _rank(seed, label, items[i].digest))
        taken = 0
        for part in _HELD_OUT:
            count = min(math.floor(shares.of(part) * len(own) + 0.5), len(own) - 1 - taken)
            for i in own[taken : taken + count]:
                parts[i] = part
            taken += count
    return parts


def _rank(seed: int, among: str, content: bytes) -> bytes:
    """Return a sort key that depends only on the seed and the content."""
    return hashlib.sha256(f"{seed}\0{among}\0".encode() + content).digest()
