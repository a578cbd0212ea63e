"""Whether one log of a workspace holds all that another one holds, which their chains of checksums tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from haleganada_server.store.sample_log.mark import NO_DIGEST, Mark


class Relation(Enum):
    """What the destination has of a workspace, seen from the source."""

    MISSING = auto()
    """Nothing that counts: no workspace, or one to which nothing was ever taught."""
    OLDER = auto()
    """An earlier state of the same log."""
    SAME = auto()
    NEWER = auto()
    """The same log, and what was taught since."""
    DELETED = auto()
    """It was deleted there, after all that the source knows of."""
    FOREIGN = auto()
    """Another log."""


@dataclass(frozen=True, slots=True)
class History:
    """How far a log has come, and its chain. digest_at: returns the checksum of the log up to a revision, zeros if it
    has no such revision.
    """

    mark: Mark
    digest_at: Callable[[int], bytes]


def relate(source: History, found: History) -> Relation:
    """Compare the log of the source with what is found at the destination. Neither changes meanwhile."""
    here, there = source.mark, found.mark
    if there.deleted and here.revision <= there.revision and there.revision:
        return Relation.DELETED
    if there.deleted or not there.revision:
        return Relation.MISSING
    if not here.revision:
        return Relation.NEWER
    common = min(here.revision, there.revision)
    digest = source.digest_at(common)
    if digest == NO_DIGEST or digest != found.digest_at(common):
        return Relation.FOREIGN
    if here.revision == there.revision:
        return Relation.SAME
    return Relation.OLDER if there.revision == common else Relation.NEWER
