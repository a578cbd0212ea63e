"""Selects the items of a data set so that no picture occurs twice, under two labels, or in two parts.

Two pictures are equal if their stored rasters are: no model could tell them apart. Nothing here depends on the order in
which the items were read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.limits import MAX_LISTED_ITEMS

from .dataset import DatasetKind, DatasetOptions, ItemFacts, LabelCount, Part, RefusedDrawing, RepeatedDrawing
from .split import split

MAX_LABELS = 20_000
CONFLICT = Reason.CONFLICTING_LABELS
_NAMED_IN_ERRORS = 10
_SHOWN = 200  # characters


@dataclass(slots=True)
class Refusals:
    """Items that cannot be used: their number, and a thousand by name."""

    total: int = 0
    _conflicts: list[RefusedDrawing] = field(default_factory=list)
    _others: list[RefusedDrawing] = field(default_factory=list)

    def add(self, refused: RefusedDrawing) -> None:
        """Record a refused item."""
        self.total += 1
        listed = self._conflicts if refused.reason == CONFLICT else self._others
        if len(listed) < MAX_LISTED_ITEMS:
            listed.append(refused)

    @property
    def listed(self) -> list[RefusedDrawing]:
        """The first thousand, conflicts of labels before all others: somebody has to decide those."""
        return [*self._conflicts, *self._others][:MAX_LISTED_ITEMS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A data set without its rasters.

    order: indices of the selected items, sorted by part, label and digest. labels: sorted by code points. unknown:
    counts the items of none of the labels. label_ids, parts, writer_ids: one for each selected item, in that order;
    label -1 = none of the labels, writer -1 = unknown. lines: counts the lines of a data set of lines, whose labels are
    their characters; no line has a label's id then.
    """

    order: list[int]
    label_ids: list[int]
    parts: list[Part]
    writer_ids: list[int]
    labels: tuple[LabelCount, ...]
    unknown: LabelCount
    writers: int
    lines: LabelCount
    leaked: list[RepeatedDrawing]
    duplicated: list[RepeatedDrawing]

    @property
    def duplicates(self) -> int:
        """Number of items left out because the same picture is in the same part."""
        return len(self.duplicated)


def assemble(
    items: Sequence[ItemFacts],
    options: DatasetOptions,
    refusals: Refusals,
    kind: DatasetKind = DatasetKind.DRAWINGS,
) -> Assembled:
    """Select, split and sort the items, and add conflicting ones to `refusals`. Raises InvalidInput if nothing can be
    learned from them: no items, only one label, or too many.
    """
    is_lines = kind is DatasetKind.LINES
    if not is_lines:
        _require_distinct_names(items)
    candidates = _remove_conflicts(items, refusals)
    kept = _remove_repeated(items, candidates)
    if not is_lines:
        _require_labels(items, kept, refusals)
    elif not kept:
        raise InvalidInput("file", f"has no usable line{_explain_refusals(refusals)}")
    # Texts are no labels, of which each would have to be in the training part.
    divided = [replace(items[i], label="") if is_lines else items[i] for i in kept]
    parts = dict(zip(kept, split(divided, options), strict=True))
    leaks = _find_leaks(items, candidates, kept)
    duplicates = set(candidates).difference(kept, leaks)
    order = sorted(kept, key=lambda i: (parts[i], items[i].label, items[i].digest))
    writer_ids = _number(items[i].writer for i in order)
    shown = [(_list_characters(items[i].label) if is_lines else [items[i].label], parts[i]) for i in order]
    label_ids = _number(label for own, _ in shown for label in own)
    *labels, unknown = _count_labels([*label_ids, ""], [(label, part) for own, part in shown for label in own])
    (lines,) = _count_labels([""], [("", parts[i]) for i in order if is_lines])
    return Assembled(
        order=order,
        label_ids=[label_ids.get(items[i].label, -1) for i in order],
        parts=[parts[i] for i in order],
        writer_ids=[writer_ids.get(items[i].writer, -1) for i in order],
        labels=tuple(labels),
        unknown=unknown,
        writers=len(writer_ids),
        lines=lines,
        leaked=_describe_repeated(items, leaks, parts),
        duplicated=_describe_repeated(items, duplicates, parts),
    )


def _require_distinct_names(items: Iterable[ItemFacts]) -> None:
    """Raise InvalidInput if a label has two names: that is usually a mistake, and cannot be undone once merged."""
    names: dict[str, set[str]] = defaultdict(set)
    for item in items:
        if item.label:
            names[item.label].add(item.folder)
    colliding = [(label, own) for label, own in sorted(names.items()) if len(own) > 1]
    if colliding:
        listed = "; ".join(f"{_quote(own)} all mean “{label}”" for label, own in colliding[:_NAMED_IN_ERRORS])
        raise InvalidInput("file", f"has several names for one label: {listed}. Rename or merge them, then try again")


def _quote(names: Iterable[str]) -> str:
    return ", ".join(f"“{name}” ({' '.join(f'U+{ord(char):04X}' for char in name[:4])})" for name in sorted(names))


def _remove_conflicts(items: Sequence[ItemFacts], refusals: Refusals) -> list[int]:
    """Return the items whose picture has only one label; refuse the others."""
    labels: dict[bytes, set[str]] = defaultdict(set)
    for item in items:
        labels[item.digest].add(item.label)
    agreed = []
    for i, item in enumerate(items):
        if len(labels[item.digest]) == 1:
            agreed.append(i)
            continue
        others = ", ".join(_describe(label) for label in sorted(labels[item.digest] - {item.label}))[:_SHOWN]
        message = f"the same picture also occurs as {others}; remove the wrong one"
        refusals.add(RefusedDrawing(item.item, CONFLICT, message))
    return agreed


def _describe(label: str) -> str:
    return f"“{label}”" if label else "a drawing of none of the labels"


def _remove_repeated(items: Sequence[ItemFacts], candidates: Iterable[int]) -> list[int]:
    """Return one item for each picture: the one in the latest part, so that nothing is tested that was trained on."""
    best: dict[bytes, int] = {}
    for i in candidates:
        rival = best.get(items[i].digest)
        if rival is None or _preference(items[i]) > _preference(items[rival]):
            best[items[i].digest] = i
    return sorted(best.values())


def _find_leaks(items: Sequence[ItemFacts], candidates: Iterable[int], kept: Iterable[int]) -> set[int]:
    """Return the items left out because their picture is in a later part: one for each picture and earlier part; a
    second one there is a duplicate.
    """
    winners = {items[i].digest: items[i] for i in kept}
    earlier: dict[tuple[bytes, Part], int] = {}
    for i in candidates:
        place = (items[i].digest, _part(items[i]))
        if _part(items[i]) is not _part(winners[items[i].digest]):
            earlier[place] = max(earlier.get(place, i), i, key=lambda one: _preference(items[one]))
    return set(earlier.values())


def _describe_repeated(
    items: Sequence[ItemFacts], left_out: Iterable[int], parts: Mapping[int, Part]
) -> list[RepeatedDrawing]:
    """Describe the items that were left out. parts: of the kept items, by index."""
    winners = {items[i].digest: i for i in parts}
    named = []
    for item in (items[i] for i in left_out):
        kept = winners[item.digest]
        named.append(RepeatedDrawing(item.item, items[kept].item, item.part, parts[kept]))
    return sorted(named, key=lambda one: (one.item, one.kept, one.part or Part.TRAIN, one.part is None))


def _preference(item: ItemFacts) -> tuple[int, str, str]:
    """Sort key: the greatest is kept; names only make the choice independent of the order."""
    return (_part(item), item.writer, item.item)


def _part(item: ItemFacts) -> Part:
    return item.part or Part.TRAIN


def _require_labels(items: Sequence[ItemFacts], kept: Sequence[int], refusals: Refusals) -> None:
    labels = {items[i].label for i in kept} - {""}
    if len(labels) > MAX_LABELS:
        raise InvalidInput("file", f"has {len(labels):,} labels; at most {MAX_LABELS:,} are allowed")
    if len(labels) >= 2:
        return
    found = f"only drawings of “{labels.pop()}”" if labels else "no usable drawing"
    raise InvalidInput("file", f"has {found}, but at least two labels are needed{_explain_refusals(refusals)}")


def _explain_refusals(refusals: Refusals) -> str:
    if not refusals.listed:
        return ""
    first = refusals.listed[0]
    return f"; {refusals.total:,} were refused, the first ({first.item}) because: {first.message}"


def _list_characters(text: str) -> list[str]:
    """Return the characters of a line, each once, without spaces."""
    return sorted(set(text) - {" "})


def _number(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(names) - {""}))}


def _count_labels(labels: Iterable[str], items: Iterable[tuple[str, Part]]) -> list[LabelCount]:
    counted = {label: [0, 0, 0] for label in labels}
    for label, part in items:
        counted[label][part] += 1
    return [LabelCount(label, *own) for label, own in counted.items()]
