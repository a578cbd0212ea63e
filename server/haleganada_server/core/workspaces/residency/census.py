"""How many workspaces there are, and what is in them, as far as that is known without opening any."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """workspaces, open, damaged: how many there are, in memory, and unreadable. samples, samples_to_embed: of those
    that were looked at by now. memory_bytes: of those in memory.
    """

    workspaces: int
    open: int
    damaged: int
    samples: int
    samples_to_embed: int
    memory_bytes: int


def take_census(entries: Iterable[Entry]) -> Census:
    """Count workspaces; nothing is read from the disk for that."""
    found = list(entries)
    known = [workspace.knowledge for entry in found if (workspace := entry.workspace) is not None]
    outlines = [outline for entry in found if entry.workspace is None and (outline := entry.outline) is not None]
    return Census(
        workspaces=len(found),
        open=len(known),
        damaged=sum(entry.damage is not None for entry in found),
        samples=sum(one.samples_total for one in known) + sum(outline.samples_total for outline in outlines),
        samples_to_embed=sum(one.stale.count for one in known) + sum(outline.samples_to_embed for outline in outlines),
        memory_bytes=sum(entry.size for entry in found),
    )
