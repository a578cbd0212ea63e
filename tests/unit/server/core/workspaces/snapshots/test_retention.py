"""Retention: what expires by count and by age, and what never does. Time is passed in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from haleganada_server.core.errors import InvalidInput, NotFound, Precondition
from haleganada_server.core.workspaces.snapshots.keeper import SnapshotKeeper
from haleganada_server.core.workspaces.snapshots.retention import (
    DAY_S,
    DEFAULT_RULES,
    SECOND_US,
    Rule,
    select_expired,
    select_for_room,
)
from haleganada_server.core.workspaces.types import SnapshotInfo, SnapshotKind
from haleganada_server.vision import PillowRasterizer

from tests.support.memory_store import MemoryDirectory
from tests.unit.server.store.rows import teach_all

NOW_US = 1_800_000_000 * SECOND_US
DAY_US = DAY_S * SECOND_US


def snapshot(age_days: float, kind: SnapshotKind = SnapshotKind.AUTOMATIC) -> SnapshotInfo:
    return SnapshotInfo(
        snapshot_id=f"{kind.value}-{age_days}",
        name="",
        revision=1,
        samples_total=1,
        created_us=NOW_US - round(age_days * DAY_US),
        bytes=100,
        sha256="",
        trash=kind is SnapshotKind.TRASH,
        kind=kind,
    )


def find_expired(snapshots: Sequence[SnapshotInfo], damaged: Sequence[int] = ()) -> list[int]:
    """Return the places in the list of those that expire by the default rules."""
    found = select_expired(snapshots, DEFAULT_RULES, NOW_US, lambda info: snapshots.index(info) not in damaged)
    return [snapshots.index(info) for info in found]


def test_each_kind_keeps_its_newest() -> None:
    assert find_expired([snapshot(age) for age in range(8)]) == [5, 6, 7]
    assert find_expired([snapshot(age, SnapshotKind.BEFORE_IMPORT) for age in range(8)]) == [3, 4, 5, 6, 7]
    mixed = [snapshot(age, kind) for age in range(8) for kind in (SnapshotKind.AUTOMATIC, SnapshotKind.TRASH)]
    assert find_expired(mixed) == [10, 11, 12, 13, 14, 15]


def test_saved_ones_never_expire() -> None:
    assert find_expired([snapshot(1000 + age, SnapshotKind.SAVED) for age in range(100)]) == []


def test_old_trash_expires_but_not_the_newest_sound_way_back() -> None:
    trash = [snapshot(age, SnapshotKind.TRASH) for age in (31, 40, 50)]
    assert find_expired(trash) == [1, 2]
    assert find_expired(trash, damaged=[0]) == [0, 2]
    assert find_expired(trash, damaged=[0, 1]) == [0, 1]
    assert find_expired([snapshot(1), *trash]) == [1, 2, 3]
    assert find_expired([snapshot(1), *trash], damaged=[0]) == [2, 3]


def test_nothing_is_read_unless_something_expires() -> None:
    def is_sound(info: SnapshotInfo) -> bool:
        raise AssertionError("read a file")

    assert select_expired([snapshot(1), snapshot(2)], DEFAULT_RULES, NOW_US, is_sound) == []


@pytest.mark.parametrize(
    ("rule", "newer", "age_s", "expires"),
    [
        (Rule(), 100, 1e9, False),
        (Rule(keep=0), 0, 0, True),
        (Rule(keep=1), 0, 1e9, False),
        (Rule(keep=2, max_age_s=10), 1, 11, True),
        (Rule(keep=2, max_age_s=10), 2, 9, True),
        (Rule(keep=2, max_age_s=10, both=True), 2, 9, False),
        (Rule(keep=2, max_age_s=10, both=True), 2, 11, True),
    ],
)
def test_rules(rule: Rule, newer: int, age_s: float, expires: bool) -> None:
    assert rule.expires(newer, age_s) is expires


def test_room_is_made_from_the_oldest_that_nobody_saved() -> None:
    kept = [snapshot(1), snapshot(2, SnapshotKind.SAVED), snapshot(3), snapshot(4, SnapshotKind.TRASH)]
    assert select_for_room(kept, 1, lambda _: True) == [kept[3]]
    assert select_for_room(kept, 1000, lambda _: True) == [kept[3], kept[2]]
    assert select_for_room(kept, 1000, lambda info: info is kept[3]) == [kept[2], kept[0]]
    assert select_for_room(kept, 0, lambda _: True) == []


def make_keeper(kinds: Sequence[SnapshotKind]) -> tuple[SnapshotKeeper, list[SnapshotInfo]]:
    """Return a keeper whose clock is a year ahead, and the snapshots of a workspace “w”, newest first."""
    directory = MemoryDirectory(PillowRasterizer())
    log = directory.create("w")
    teach_all(log, ["a"])
    for number, kind in enumerate(kinds):
        directory.save(log, str(number), kind)
    snapshots = directory.snapshots("w")
    keeper = SnapshotKeeper(directory, clock=lambda: snapshots[0].created_us + 365 * DAY_US)
    return keeper, snapshots


def test_the_last_way_back_needs_a_confirmation() -> None:
    keeper, (second, first) = make_keeper([SnapshotKind.SAVED] * 2)
    assert keeper.delete("w", first.snapshot_id, "").snapshots == (first,)
    with pytest.raises(Precondition, match="last sound snapshot of “w”"):
        keeper.delete("w", second.snapshot_id, "v")
    assert keeper.delete("w", second.snapshot_id, "w").snapshots == (second,)
    with pytest.raises(NotFound):
        keeper.delete("w", second.snapshot_id, "w")


def test_pruning_on_demand() -> None:
    keeper, snapshots = make_keeper([SnapshotKind.AUTOMATIC] * 4 + [SnapshotKind.SAVED] * 3)
    assert keeper.prune("w", keep=1, dry_run=True).snapshots == tuple(snapshots[4:])
    assert keeper.prune("w", keep=1, older_than_s=366 * DAY_S).snapshots == ()
    assert keeper.prune("w").snapshots == ()
    assert keeper.prune("w", keep=1).snapshots == tuple(snapshots[4:])
    with pytest.raises(InvalidInput, match="keep"):
        keeper.prune("w", [SnapshotKind.SAVED])
    everything = keeper.prune("w", list(SnapshotKind), keep=0).snapshots
    assert everything == tuple(snapshots[1:4])  # the newest way back stays
