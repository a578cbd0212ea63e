"""What came of moving one workspace."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .history import Relation
from .row_comparison import Compared


class Outcome(Enum):
    """The values are shown."""

    MOVED = "moved"
    UPDATED = "updated"
    ALREADY_THERE = "already there"
    NEWER_THERE = "newer there"
    DELETED = "deleted"
    FAILED = "not moved"


@dataclass(frozen=True, slots=True)
class Moved:
    """One workspace. revision: of the source. compared: None where rows were not compared. note: what else to know of
    it. problem: why it was not moved, "" = it is at the destination.
    """

    name: str
    outcome: Outcome
    revision: int = 0
    compared: Compared | None = None
    note: str = ""
    problem: str = ""


MOVES = {Relation.MISSING: Outcome.MOVED, Relation.OLDER: Outcome.UPDATED}
"""What is done where the destination lacks something."""


def refuse(name: str, relation: Relation, there: int, here: int) -> Moved:
    """Return what is said of a workspace that must not be replaced. there, here: the revisions of both sides."""
    if relation is Relation.NEWER:
        note = f"it is at revision {there} there, and holds all that the source has; it was left as it is"
        return Moved(name, Outcome.NEWER_THERE, here, note=note)
    other_way = "move this one under another name, with `haleganada export` and `haleganada import`"
    if relation is Relation.DELETED:
        problem = f"it was deleted at the destination, at revision {there}. To have it there nevertheless, {other_way}"
    else:
        problem = (
            f"the destination has another workspace of this name, at revision {there}, and nothing of it was changed. "
            f"Delete that one first, or {other_way}"
        )
    return Moved(name, Outcome.FAILED, here, problem=problem)
