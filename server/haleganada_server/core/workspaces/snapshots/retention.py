"""How long snapshots are kept: a rule for each kind, by count and by age.

What a user saved stays until the user deletes it. Whatever the rules say, the newest sound snapshot of a workspace
stays, so that a damaged file always has a way back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..types import SnapshotInfo, SnapshotKind

SECOND_US = 1_000_000
DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Rule:
    """Which snapshots of a kind expire: those beyond the `keep` newest, those older than `max_age_s`; None = no bound.

    both: only those that are beyond either bound expire, instead of those beyond any.
    """

    keep: int | None = None
    max_age_s: float | None = None
    both: bool = False

    def expires(self, newer: int, age_s: float) -> bool:
        """Return whether a snapshot expires. newer: how many of its kind are newer."""
        beyond = [newer >= self.keep] if self.keep is not None else []
        beyond += [age_s > self.max_age_s] if self.max_age_s is not None else []
        return bool(beyond) and (all(beyond) if self.both else any(beyond))


DEFAULT_RULES: Mapping[SnapshotKind, Rule] = {
    SnapshotKind.AUTOMATIC: Rule(keep=5),
    SnapshotKind.BEFORE_IMPORT: Rule(keep=3, max_age_s=30 * DAY_S),
    SnapshotKind.TRASH: Rule(keep=5, max_age_s=30 * DAY_S),
}
"""What a server keeps by itself, sized for a laptop: at most 13 copies of a workspace besides those that were saved."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The rules of a server. max_bytes: of one workspace's snapshots and trash; None = no bound."""

    rules: Mapping[SnapshotKind, Rule] = field(default_factory=lambda: DEFAULT_RULES)
    max_bytes: int | None = None


def select_expired(
    snapshots: Sequence[SnapshotInfo],
    rules: Mapping[SnapshotKind, Rule],
    now_us: int,
    is_sound: Callable[[SnapshotInfo], bool],
) -> list[SnapshotInfo]:
    """Return the snapshots that expire, newest first. snapshots: all of a workspace, newest first.

    is_sound: whether a snapshot can be restored, which may be expensive to tell. The newest sound one never expires.
    """
    newer: Counter[SnapshotKind] = Counter()
    expired = []
    for info in snapshots:
        rule = rules.get(info.kind, Rule())
        if rule.expires(newer[info.kind], (now_us - info.created_us) / SECOND_US):
            expired.append(info)
        newer[info.kind] += 1
    return _spare_way_back(expired, snapshots, is_sound)


def select_for_room(
    snapshots: Sequence[SnapshotInfo], missing_bytes: int, is_sound: Callable[[SnapshotInfo], bool]
) -> list[SnapshotInfo]:
    """Return the oldest snapshots that the server took by itself, as many as `missing_bytes` need."""
    chosen: list[SnapshotInfo] = []
    candidates = [info for info in snapshots if info.kind is not SnapshotKind.SAVED]
    for info in reversed(_spare_way_back(candidates, snapshots, is_sound) if missing_bytes > 0 else []):
        if missing_bytes <= 0:
            break
        chosen.append(info)
        missing_bytes -= info.bytes
    return chosen


def is_last_way_back(
    info: SnapshotInfo, snapshots: Iterable[SnapshotInfo], is_sound: Callable[[SnapshotInfo], bool]
) -> bool:
    """Return whether no other snapshot of the workspace is sound."""
    return not any(other.snapshot_id != info.snapshot_id and is_sound(other) for other in snapshots)


def _spare_way_back(
    expired: list[SnapshotInfo], snapshots: Iterable[SnapshotInfo], is_sound: Callable[[SnapshotInfo], bool]
) -> list[SnapshotInfo]:
    """Leave out the newest sound snapshot. Nothing is checked unless something expires."""
    if not expired:
        return []
    way_back = next((info for info in snapshots if is_sound(info)), None)
    return [info for info in expired if info is not way_back]
