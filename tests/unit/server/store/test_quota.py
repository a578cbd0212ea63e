"""Quotas: what would take more disk than allowed is refused early, says what to do, and changes nothing."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import click
import pytest
from haleganada_server.core.errors import Exhausted
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.workspaces.snapshots.retention import Retention
from haleganada_server.core.workspaces.types import SnapshotKind
from haleganada_server.core.workspaces.workspaces import Workspaces
from haleganada_server.sizes import Size
from haleganada_server.store import DataDirectory
from haleganada_server.store.datasets.uploads import Uploads
from haleganada_server.store.quota import DiskQuota, disk_usage
from haleganada_server.vision import PillowRasterizer

from tests.unit.server.core.workspaces.small_world import CoarseEmbedder, lesson, make_dependencies, open_workspaces


def name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "one").write_bytes(bytes(100))
    (tmp_path / "folder" / "two").hardlink_to(tmp_path / "one")
    (tmp_path / "folder" / "three").write_bytes(bytes(10))
    assert disk_usage([tmp_path]) == disk_usage([tmp_path, tmp_path / "folder"]) == 110


def test_what_was_granted_counts_until_the_folder_is_measured_again(tmp_path: Path) -> None:
    quota = DiskQuota(tmp_path, 1000)
    quota.require_room(400)
    (tmp_path / "file").write_bytes(bytes(900))
    quota.require_room(500)
    with pytest.raises(Exhausted, match=r"take 0\.9 kB of the 1\.0 kB .* --data-quota") as caught:
        quota.require_room(500)
    assert caught.value.reason == "QUOTA_EXCEEDED"
    (tmp_path / "file").unlink()
    quota.require_room(500)


def test_a_full_data_directory_refuses_what_needs_room_and_nothing_else(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspaces.get().train(lesson(0))
    workspaces.close()
    directory = DataDirectory(tmp_path, PillowRasterizer(), max_bytes=disk_usage([tmp_path]) // 2)
    workspaces = open_workspaces(tmp_path, directory=directory)
    workspace = workspaces.get()
    for attempt in (lambda: workspace.train(lesson(1)), lambda: workspace.save("x")):
        with pytest.raises(Exhausted, match="--data-quota"):
            attempt()
    assert workspaces.snapshots() == []
    assert workspace.predict(lesson(0).glyph).candidates[0].label == "L0"
    assert workspace.undo().label == "L0"
    workspaces.close()


def open_with_snapshot_quota(folder: Path, max_bytes: int) -> Workspaces:
    rasterizer = PillowRasterizer()
    directory, encoder = DataDirectory(folder, rasterizer), GlyphEncoder(rasterizer, CoarseEmbedder())
    return Workspaces(make_dependencies(directory, encoder, folder, retention=Retention(max_bytes=max_bytes)))


def test_the_oldest_that_nobody_saved_give_way(tmp_path: Path) -> None:
    workspaces = open_with_snapshot_quota(tmp_path, 200_000)
    workspace = workspaces.get()
    kept = []
    for number in range(8):
        workspace.train(lesson(number))
        kept.append(workspace.save(str(number), SnapshotKind.AUTOMATIC if number < 4 else SnapshotKind.SAVED).name)
        if workspaces.snapshots()[-1].name != "0":
            break
    left = [info.name for info in workspaces.snapshots()]
    assert 0 < len(left) < len(kept) < 8 and left == kept[::-1][: len(left)]
    with pytest.raises(Exhausted, match="snapshots prune --kind saved") as caught:
        for number in range(8, 20):
            workspace.train(lesson(number))
            workspace.save(str(number))
    assert caught.value.reason == "QUOTA_EXCEEDED"
    assert all(info.kind is SnapshotKind.SAVED for info in workspaces.snapshots()[1:])
    workspaces.close()


def test_the_same_state_needs_no_room(tmp_path: Path) -> None:
    workspaces = open_with_snapshot_quota(tmp_path, 100_000)
    workspaces.get().train(lesson(0))
    assert len({workspaces.get().save(str(number)).snapshot_id for number in range(10)}) == 10
    workspaces.close()


def test_the_total_of_uploads(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 1000, 1500)
    one, two = bytes(900), bytes([1]) * 900
    uploads.receive(name_of(one), 0, [one])
    with pytest.raises(Exhausted, match="--upload-quota") as caught:
        uploads.receive(name_of(two), 0, [two])
    assert caught.value.reason == "QUOTA_EXCEEDED" and uploads.bytes_received(name_of(two)) == 0
    uploads.remove(name_of(one))
    assert uploads.receive(name_of(two), 0, [two]).read_bytes() == two


def test_abandoned_uploads_give_way(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 1000, 1500)
    one, two = bytes(900), bytes([1]) * 900
    path = uploads.receive(name_of(one), 0, [one])
    os.utime(path, times=(time.time() - 90_000,) * 2)
    assert uploads.receive(name_of(two), 0, [two]).read_bytes() == two
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("500M", 500 << 20), ("4g", 4 << 30), ("none", None), ("None", None)]
)
def test_sizes(text: str, size: int | None) -> None:
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "4 G", "1.5G", "4X"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a size"):
        Size().convert(text, None, None)
