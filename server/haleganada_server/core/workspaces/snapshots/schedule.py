"""When a workspace gets a snapshot by itself: by the number of its changes, and by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..types import SnapshotInfo, SnapshotKind
from .retention import DAY_S, SECOND_US


@dataclass(frozen=True, slots=True)
class Due:
    """A snapshot is due at a revision or a time, but not before `earliest_us`. Times: microseconds since 1970 UTC."""

    revision: int
    time_us: int
    earliest_us: int

    def is_reached(self, revision: int, now_us: int) -> bool:
        """Return whether the workspace needs a snapshot now."""
        return now_us >= self.earliest_us and (revision >= self.revision or now_us >= self.time_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """first_changes: changes after which a workspace without any way back gets its first snapshot. changes, share:
    after so many changes it gets the next one, or after this share of its samples if that is more, so that copying
    costs a large workspace no more for each sample than a small one. max_age_s: and after so long, if anything changed.
    pause_s: but not more often than that.
    """

    first_changes: int = 10
    changes: int = 100
    share: float = 0.1
    max_age_s: float = DAY_S
    pause_s: float = 60.0

    def due(self, samples_total: int, changed_us: int, snapshots: Sequence[SnapshotInfo]) -> Due:
        """Return when a workspace needs its next snapshot. changed_us: when it was seen to change first. snapshots: all
        of the workspace; those of before the last reset or restore are no way back to what was taught since.
        """
        replaced = max((info.revision for info in snapshots if info.trash), default=0)
        own = [info for info in snapshots if not info.trash and info.revision > replaced]
        age_us, pause_us = round(self.max_age_s * SECOND_US), round(self.pause_s * SECOND_US)
        if not own:
            return Due(replaced + self.first_changes, changed_us + age_us, 0)
        last = max(own, key=lambda info: info.revision)
        automatic = [info.created_us for info in own if info.kind is SnapshotKind.AUTOMATIC]
        return Due(
            last.revision + max(self.changes, round(self.share * samples_total)),
            max(last.created_us + age_us, changed_us),
            max(automatic, default=-pause_us) + pause_us,
        )
