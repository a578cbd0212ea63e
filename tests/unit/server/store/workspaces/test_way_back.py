"""Recovery of a damaged workspace through the core: an attempt that fails leaves the other ways open."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from haleganada_server.core.errors import DataLoss, Exhausted
from haleganada_server.core.workspaces.types import SnapshotInfo
from haleganada_server.core.workspaces.workspaces import Workspaces

from tests.unit.server.core.workspaces.small_world import assert_same_posteriors, lesson, open_workspaces, posteriors
from tests.unit.server.store.test_full_disk import limit_file_size, mount_small_disk


def damage(path: Path) -> None:
    path.write_bytes(b"\xa5" * path.stat().st_size)


def make_damaged_workspace(folder: Path) -> tuple[Workspaces, list[SnapshotInfo], dict[str, list[float]]]:
    """Return workspaces of which one is damaged, its two snapshots, the second also damaged, and what the first
    predicts.
    """
    workspaces = open_workspaces(folder)
    workspaces.get().train(lesson(0))
    kept, known = [workspaces.get().save("good")], posteriors(workspaces.get())
    workspaces.get().train(lesson(1))
    kept.append(workspaces.get().save("bad"))
    workspaces.close()
    damage(next(folder.glob("workspaces/*/log.sqlite3")))
    damage(next(folder.glob(f"workspaces/*/snapshots/{kept[1].snapshot_id}.sqlite3")))
    return open_workspaces(folder), kept, known


def test_a_bad_snapshot_does_not_block_the_good_one(tmp_path: Path) -> None:
    workspaces, (good, bad), known = make_damaged_workspace(tmp_path)
    for _ in range(2):
        with pytest.raises(DataLoss):
            workspaces.restore("", bad.snapshot_id)
        assert workspaces.info().corrupt
        with pytest.raises(DataLoss):
            workspaces.get()
    info, replaced = workspaces.restore("", good.snapshot_id)
    assert not info.corrupt and replaced is not None and replaced.trash
    assert_same_posteriors(posteriors(workspaces.get()), known)
    workspaces.get().train(lesson(2))
    assert workspaces.get().knowledge.revision > replaced.revision
    workspaces.close()


def test_reset_works_too_once_there_is_space(tmp_path: Path) -> None:
    workspaces, _, _ = make_damaged_workspace(tmp_path)
    with limit_file_size(1000), pytest.raises(Exhausted):
        workspaces.reset("", "default")
    assert workspaces.info().corrupt and not [kept for kept in workspaces.snapshots() if kept.trash]
    retired, revision = workspaces.reset("", "default")
    assert retired is not None and revision > retired.revision
    assert workspaces.get().train(lesson(0)).samples_total == 1
    assert retired.name == "before reset (damaged)"
    with pytest.raises(DataLoss, match=f"{retired.snapshot_id} .* cannot be restored; nothing was changed"):
        workspaces.restore("", retired.snapshot_id)
    assert workspaces.get().knowledge.samples_total == 1
    workspaces.close()


def test_a_full_disk_does_not_damage_the_workspace(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspaces.get().train(lesson(0))
    workspaces.get().train(lesson(1))
    known = posteriors(workspaces.get())
    for limit in (0, 5_000, 40_000):  # no space for the manifest, for the new file, for opening it
        with limit_file_size(limit), pytest.raises(Exhausted):
            workspaces.reset("", "default")
        assert_same_posteriors(posteriors(workspaces.get()), known)
    assert workspaces.get().train(lesson(2)).samples_total == 3
    workspaces.close()
    assert open_workspaces(tmp_path).get().knowledge.samples_total == 3


def test_with_little_space_a_restore_succeeds_or_changes_nothing(tmp_path: Path) -> None:
    with mount_small_disk(tmp_path, 2 << 20):
        workspaces = open_workspaces(tmp_path / "data")
        workspaces.get().train(lesson(0))
        kept = workspaces.get().save("")
        outcomes = []
        for room in range(0, 200_000, 20_000):
            workspaces.get().train(lesson(1))
            known = workspaces.get().knowledge.samples_total
            filler = tmp_path / "filler"
            filler.write_bytes(bytes(max(0, shutil.disk_usage(tmp_path).free - room)))
            try:
                workspaces.restore("", kept.snapshot_id)
                outcomes.append(True)
            except Exhausted:
                outcomes.append(False)
            filler.unlink()
            assert workspaces.get().knowledge.samples_total == (1 if outcomes[-1] else known)
        assert not outcomes[0] and outcomes[-1]
        workspaces.close()
