"""Workspaces under kill -9 between each two steps of every change: the state before, or the one after, complete."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer

from tests.unit.server.store.kills.killed import run_until_killed_at_each
from tests.unit.server.store.rows import assert_same, sample, teach_all

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
COUNT, KEPT = 6, 2
OLD_IS_KEPT = ("keep.described", "keep.with_journal", "keep.listed")
SWAPPED = ("replace.checkpointed", *OLD_IS_KEPT, "replace.kept", "replace.closed", "replace.without_journals")
REPLACED = ("replace.built", *SWAPPED, "replace.renamed", "replace.synced", "replace.opened")
DELETED = (*SWAPPED, "delete.marked", "delete.unlinked")


@contextmanager
def open_directory(data: Path) -> Iterator[DataDirectory]:
    with closing(DataDirectory(data, PillowRasterizer())) as directory:
        yield directory


@pytest.fixture
def copies(tmp_path: Path) -> Iterator[Path]:
    """A folder for data directories; each holds a workspace of six samples, and a snapshot of the first two."""
    with open_directory(tmp_path / "original") as directory, closing(directory.create("w")) as log:
        teach_all(log, ["a"] * KEPT)
        directory.save(log, "kept")
        teach_all(log, ["a"] * (COUNT - KEPT))
    yield tmp_path


def kill_at_each(lines: str, copies: Path, points: tuple[str, ...]) -> None:
    for point in points:
        shutil.copytree(copies / "original", copies / point)
    run_until_killed_at_each(lines, copies, points)


def check_samples(directory: DataDirectory, counts: set[int]) -> int:
    """Check that the workspace has the first samples, one of these numbers of them, and gives no id again; return how
    many it has.
    """
    with closing(directory.open("w")) as log:
        rows = list(log.all_samples())
        assert len(rows) in counts
        for number, row in enumerate(rows, 1):
            assert_same(row, sample(number, "a"))
        teach_all(log, ["a"])
        assert log.last_sample_id() > COUNT and log.revision() > COUNT
    return len(rows)


def check_folder(data: Path, directory: DataDirectory, kept: int = 1) -> None:
    """Check that nothing is left of what was half done, and how many snapshots there are, the trash included."""
    assert not list((data / "tmp").iterdir())
    assert len(directory.snapshots("w")) == kept
    for info in directory.snapshots("w"):
        assert directory.is_sound("w", info)


@pytest.mark.parametrize(
    ("lines", "new"),
    [
        ('directory.replace("w", directory.open("w"), rows.reset_event())', 0),
        (
            'kept, = directory.snapshots("w")\n'
            'directory.replace("w", directory.open("w"), rows.restore_event(), kept.snapshot_id)',
            KEPT,
        ),
    ],
    ids=["reset", "restore"],
)
def test_a_workspace_is_replaced_or_not(copies: Path, lines: str, new: int) -> None:
    kill_at_each(lines, copies, REPLACED)
    for point in REPLACED:
        with open_directory(copies / point) as directory:
            is_replaced = check_samples(directory, {COUNT, new}) == new
            assert is_replaced == (point in ("replace.renamed", "replace.synced", "replace.opened")), point
            check_folder(copies / point, directory, 2 if is_replaced else 1)


def test_a_workspace_is_deleted_or_not(copies: Path) -> None:
    kill_at_each('directory.delete("w", directory.open("w"))', copies, DELETED)
    for point in DELETED:
        with open_directory(copies / point) as directory:
            assert directory.exists("w") == (point != "delete.unlinked"), point
            if directory.exists("w"):
                assert check_samples(directory, {COUNT}) == COUNT
            check_folder(copies / point, directory, 1 if directory.exists("w") else 2)


def test_a_snapshot_is_there_or_not(copies: Path) -> None:
    points = ("snapshot.described", "snapshot.moved")
    kill_at_each('directory.save(directory.open("w"), "second")', copies, points)
    for point in points:
        with open_directory(copies / point) as directory:
            check_folder(copies / point, directory, 2 if point == "snapshot.moved" else 1)
            check_samples(directory, {COUNT})


def test_a_change_is_committed_or_not(copies: Path) -> None:
    points = ("commit.before", "commit.after", "commit.marked")
    kill_at_each('rows.teach_all(directory.open("w"), ["a"])', copies, points)
    for point in points:
        with open_directory(copies / point) as directory:
            check_samples(directory, {COUNT if point == "commit.before" else COUNT + 1})


def test_a_workspace_is_made_or_not(copies: Path) -> None:
    points = ("create.named", "replace.built", "replace.renamed", "replace.synced", "replace.opened")
    kill_at_each('directory.create("new")', copies, points)
    for point in points:
        with open_directory(copies / point) as directory:
            if not directory.exists("new"):
                directory.create("new").close()
            with closing(directory.open("new")) as log:
                assert log.count() == 0, point
            check_samples(directory, {COUNT})
