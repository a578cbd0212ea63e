"""Which items are for training, for validation and for the test.

A split is a function of the items and the seed alone: items and writers are put in order by a keyed hash of what they
are, never by where they stood in a file. What the source says of parts is kept; a part that it lacks is taken from its
items to train on.
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
    """Of the items to divide, 0..0.5 each; 0 for a part that the source itself has."""

    test: float
    validation: float

    def of(self, part: Part) -> float:
        return self.test if part is Part.TEST else self.validation


def split(items: Sequence[ItemFacts], options: DatasetOptions) -> list[Part]:
    """The part of each item. Raises InvalidInput if it is to be by writer and writers are not known."""
    given = {item.part for item in items}
    shares = _Shares(
        0.0 if Part.TEST in given else options.test_share,
        0.0 if Part.VALIDATION in given else options.validation_share,
    )
    open_items = [i for i, item in enumerate(items) if item.part in (None, Part.TRAIN)]
    chosen = [items[i] for i in open_items]
    divided = _divided(chosen, shares, options)
    parts = [item.part or Part.TRAIN for item in items]
    for i, part in zip(open_items, divided, strict=True):
        parts[i] = part
    if options.split is SplitRule.BY_WRITER:
        _require_apart(items, parts)
    return parts


def _require_apart(items: Sequence[ItemFacts], parts: Sequence[Part]) -> None:
    """Raises InvalidInput if the source itself has a writer in two parts."""
    part_of: dict[str, Part] = {}
    for item, part in zip(items, parts, strict=True):
        if part_of.setdefault(item.writer, part) is not part:
            who = f"writer {item.writer[:40]}" if item.writer else "somebody who is not named"
            raise InvalidInput("split", f"cannot be by writer, because {who} is in two parts of what was sent")


def _divided(items: Sequence[ItemFacts], shares: _Shares, options: DatasetOptions) -> list[Part]:
    """Raises InvalidInput if it was to be by writer and cannot be."""
    if options.split is not SplitRule.STRATIFIED and items:
        problem = _writers_missing(items, shares)
        divided = None if problem else _by_writer(items, shares, options.seed)
        if divided is not None:
            return divided
        if options.split is SplitRule.BY_WRITER:
            why = problem or "a label would be left without a drawing to train on"
            raise InvalidInput("split", f"cannot be by writer, because {why}; leave it out, or choose stratified")
    return _stratified(items, shares, options.seed)


def _writers_missing(items: Sequence[ItemFacts], shares: _Shares) -> str:
    """Why the writers do not suffice; "" if they do."""
    writers = {item.writer for item in items}
    if "" in writers:
        return "not every item tells its writer"
    needed = 1 + sum(shares.of(part) > 0 for part in _HELD_OUT)
    return f"{needed} writers are needed, and there are {len(writers)}" if len(writers) < needed else ""


def _by_writer(items: Sequence[ItemFacts], shares: _Shares, seed: int) -> list[Part] | None:
    """Whole writers, in the seed's order, until a part has its share of the items; at least one for each part.

    A writer without whom a label could no longer be trained stays in the training part. None if that leaves a part
    empty.
    """
    drawn: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        drawn[item.writer][item.label] += 1
    left = sum(drawn.values(), Counter[str]())
    part_of = dict.fromkeys(drawn, Part.TRAIN)
    for part in _HELD_OUT:
        share = shares.of(part) * len(items)
        taken = 0
        for writer in sorted(drawn, key=lambda name: _rank(seed, part.name, name.encode())):
            own = drawn[writer]
            if part_of[writer] is not Part.TRAIN or any(left[label] <= count for label, count in own.items()):
                continue
            if share > 0 and (not taken or taken + own.total() / 2 <= share):  # nearer to the share with this writer
                part_of[writer] = part
                left -= own
                taken += own.total()
        if share > 0 and not taken:
            return None
    return [part_of[item.writer] for item in items]


def _stratified(items: Sequence[ItemFacts], shares: _Shares, seed: int) -> list[Part]:
    """The same shares of each label, rounded; at least one item of each is left to train on."""
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
    """A place in an order that only the seed and the content decide."""
    return hashlib.sha256(f"{seed}\0{among}\0".encode() + content).digest()
