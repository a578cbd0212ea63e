"""What people have said about the glyphs of a page: it stays, whatever is learned later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from .lattice import GlyphLattice

_NOTHING: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Settled:
    """labels: the canonical text of each group that a person has named, by its id; "" = it is no glyph, but for example
    a stain. No two of them overlap. Ids that a lattice does not have are ignored there.
    """

    labels: Mapping[int, str] = field(default_factory=lambda: _NOTHING)

    def settle(self, lattice: GlyphLattice, group_id: int, text: str) -> Settled:
        """Return it with a group settled, and without those that overlap it. Raises NotFound for an id that the lattice
        does not have.
        """
        return Settled(MappingProxyType({**self.release(lattice, [group_id]).labels, group_id: text}))

    def unsettle(self, group_id: int) -> Settled:
        """Return it without a group, as if that had never been settled."""
        return Settled(MappingProxyType({known: text for known, text in self.labels.items() if known != group_id}))

    def release(self, lattice: GlyphLattice, group_ids: Iterable[int]) -> Settled:
        """Return it without the groups that overlap some, or are some of them. Raises NotFound."""
        overlapped: set[int] = set()
        for group_id in group_ids:
            is_overlapped = lattice.find_overlaps(lattice.find_group(group_id))
            overlapped.update(lattice.group_ids[is_overlapped].tolist())
        return Settled(
            MappingProxyType({known: text for known, text in self.labels.items() if known not in overlapped})
        )

    def find_groups(self, lattice: GlyphLattice) -> dict[int, str]:
        """Return the text of each settled group by its number in a lattice, in order."""
        numbers = np.flatnonzero(np.isin(lattice.group_ids, list(self.labels)))
        return {number: self.labels[int(lattice.group_ids[number])] for number in numbers.tolist()}


def find_allowed(lattice: GlyphLattice, settled: Settled) -> NDArray[np.bool_]:
    """Return which groups a path may take, (groups,): those that contradict nothing that a person has said. Later words
    count more than earlier ones: what is settled, more than groups that were joined, and these, more than parting.
    """
    firsts, lasts = lattice.groups.T
    walls = np.concatenate([[0], np.cumsum(lattice.is_parted)])
    fixed = [*settled.find_groups(lattice)]
    allowed = np.asarray(walls[firsts + 1] == walls[lasts])
    owners = np.full(len(lattice.part_boxes), -1)
    for group in fixed:
        owners[slice(*lattice.groups[group])] = group
    for group in np.flatnonzero(lattice.is_joined).tolist():
        parts = slice(*lattice.groups[group])
        if (owners[parts] == -1).all():
            owners[parts] = group
            fixed.append(group)
    is_free = np.concatenate([[0], np.cumsum(owners >= 0)])
    allowed &= is_free[firsts] == is_free[lasts]
    allowed[fixed] = True
    return allowed
