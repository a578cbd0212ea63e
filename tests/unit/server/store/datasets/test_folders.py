"""Data sets on disk: equal content gives equal data sets in every format; a data set is complete or absent."""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.datasets.dataset import NONE_UNKNOWN, DatasetInfo, DatasetOptions, Part, RepeatedDrawing
from haleganada_server.core.datasets.datasets import Datasets
from haleganada_server.core.errors import Cancelled, DataLoss, Exhausted, InvalidInput, NotFound, Precondition
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.store.datasets.folders import DatasetFolders
from haleganada_server.vision import dataset_raster, rasterize
from numpy.typing import NDArray

from tests.support.datasets import drawing, drawings, folders_of, idx_files, png, write_npz, write_zip
from tests.unit.server.store.test_full_disk import limit_file_size

LABELS = [i % 5 for i in range(30)]
IMAGES = drawings(30)


class World:
    """The data sets of one data directory."""

    def __init__(self, root: Path) -> None:
        self.root, numbers = root, itertools.count()
        (root / "tmp").mkdir(exist_ok=True)
        self.store = DatasetFolders(root / "datasets", lambda: root / "tmp" / str(next(numbers)))
        self.used: set[str] = set()
        self.datasets = Datasets(self.store, lambda dataset_id: dataset_id in self.used)

    def add(self, path: Path, cancellation: Cancellation = NEVER, **options: Any) -> DatasetInfo:
        chosen = DatasetOptions(**{"name": "set", **options})
        return self.datasets.add(path, path.name, chosen, cancellation)

    def array(self, info: DatasetInfo, name: str) -> NDArray[Any]:
        return np.asarray(np.load(self.store.folder(info.dataset_id) / f"{name}.npy", allow_pickle=False))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_arrays_on_disk(world: World, tmp_path: Path) -> None:
    info = world.add(write_npz(tmp_path / "s.npz", x=IMAGES, y=LABELS, writer=[i % 3 for i in range(30)]))
    names = [count.label for count in info.labels]
    rasters, labels, parts, writers = (world.array(info, name) for name in ("rasters", "labels", "parts", "writers"))
    assert (rasters.shape, rasters.dtype.name, rasters.max()) == ((30, 64, 64), "uint8", 255)
    assert [array.dtype.name for array in (labels, parts, writers)] == ["int32", "uint8", "int32"]
    assert names == ["0", "1", "2", "3", "4"] and info.writers == 3 and set(writers) == {0, 1, 2}
    expected = {
        dataset_raster(rasterize(Glyph(image=png(image)))).tobytes(): LABELS[i] for i, image in enumerate(IMAGES)
    }
    assert {raster.tobytes(): int(names[label]) for raster, label in zip(rasters, labels, strict=True)} == expected
    for part in Part:
        assert info.count(part) == int((parts == part).sum()) > 0
    assert info.bytes_on_disk > rasters.nbytes


def test_leaks_are_listed_except_in_older_data_sets(world: World, tmp_path: Path) -> None:
    files = {f"{part}/{label}/{i}.png": png(IMAGES[i]) for part in ("train", "test") for i, label in enumerate("ab")}
    for name, content in files.items():
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(content)
    info = world.add(tmp_path / "set")
    assert info.leaked == (
        RepeatedDrawing("train/a/0.png", "test/a/0.png", Part.TRAIN, Part.TEST),
        RepeatedDrawing("train/b/1.png", "test/b/1.png", Part.TRAIN, Part.TEST),
    )
    assert world.store.all() == [info] and info.leaks == 2
    path = world.store.folder(info.dataset_id) / "dataset.json"
    entry = json.loads(path.read_text(encoding="utf-8"))
    del entry["leaked"], entry["duplicated"], entry["notes"], entry["unknown"], entry["checksum"]
    path.write_text(json.dumps(entry), encoding="utf-8")
    (older,) = world.store.all()
    assert older.leaked == () and older.leaks == 2 and older.unknown == NONE_UNKNOWN


def test_labels_that_nothing_trains_are_noted(world: World, tmp_path: Path) -> None:
    files = folders_of("ab", prefix="train/") | folders_of("abcd", prefix="test/")
    info = world.add(write_zip(tmp_path / "s.zip", files))
    assert [(note.reason, note.labels) for note in info.notes] == [("NOT_TRAINED", ("c", "d"))]
    assert "“c”, “d”" in info.notes[0].message and world.store.all() == [info]


def test_duplicates_are_listed(world: World, tmp_path: Path) -> None:
    files = {f"{label}/{i}.png": png(IMAGES[i]) for i, label in enumerate("abab")} | {"a/again.png": png(IMAGES[0])}
    info = world.add(write_zip(tmp_path / "s.zip", files), validation_share=0.0, test_share=0.0)
    assert info.duplicated == (RepeatedDrawing("a/0.png", "a/again.png", None, Part.TRAIN),) and info.duplicates == 1
    assert world.store.all() == [info]
    path = world.store.folder(info.dataset_id) / "dataset.json"
    entry = json.loads(path.read_text(encoding="utf-8"))
    del entry["checksum"]
    entry["duplicated"] = [{"item": "x", "kept": "y"}]  # without parts, as in the first version
    path.write_text(json.dumps(entry), encoding="utf-8")
    assert world.store.all()[0].duplicated == (RepeatedDrawing("x", "y"),)


def test_equal_content_is_equal_in_every_format_and_order(world: World, tmp_path: Path) -> None:
    as_png = {f"{label}/{i}.png": png(image) for i, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True))}
    shuffled = dict(random.Random(1).sample(sorted(as_png.items()), len(as_png)))
    for name, content in as_png.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(content)
    forms = [
        write_npz(tmp_path / "s.npz", x=IMAGES, y=LABELS),
        write_npz(tmp_path / "reversed.npz", x=IMAGES[::-1], y=LABELS[::-1]),
        write_zip(tmp_path / "idx.zip", idx_files(IMAGES, LABELS, "")),
        write_zip(tmp_path / "png.zip", as_png),
        write_zip(tmp_path / "shuffled.zip", shuffled),
        tmp_path / "folder",
    ]
    made = [world.add(path) for path in forms]
    assert len({info.sha256 for info in made}) == 1 and len({info.dataset_id for info in made}) == len(forms)
    assert made[0].labels == made[-1].labels
    other = [(label + (i == 7)) % 5 for i, label in enumerate(LABELS)]
    assert world.add(write_npz(tmp_path / "other.npz", x=IMAGES, y=other)).sha256 != made[0].sha256
    assert world.add(forms[0], seed=1).sha256 != made[0].sha256


def test_everything_is_kept_after_a_restart(world: World, tmp_path: Path) -> None:
    files = folders_of(["ಅ", "U+0C95_0CCD"]) | {"ಅ/bad.png": b"x", "loose.png": png(drawing("loose"))}
    info = world.add(write_zip(tmp_path / "s.zip", files))
    assert info.refused_total == 2 and {one.item for one in info.refused} == {"ಅ/bad.png", "loose.png"}
    assert {one.message.split(";")[0] for one in info.refused} == {
        "is not a PNG, JPEG or WebP image",
        "put each image into a folder that is named after its label",
    }
    assert World(tmp_path).datasets.get(info.dataset_id) == info


def test_a_damaged_data_set_does_not_hide_the_others(world: World, tmp_path: Path) -> None:
    path = write_npz(tmp_path / "s.npz", x=IMAGES, y=LABELS)
    damaged, lacking, good = (world.add(path) for _ in range(3))
    (world.store.folder(damaged.dataset_id) / "dataset.json").write_text("{")
    (world.store.folder(lacking.dataset_id) / "parts.npy").unlink()
    (tmp_path / "datasets" / "stray").write_text("x")
    again = World(tmp_path)
    listed = {info.dataset_id: info for info in again.datasets.page()}
    assert listed.keys() == {damaged.dataset_id, lacking.dataset_id, good.dataset_id}
    assert listed[good.dataset_id] == good
    for info, why in ((damaged, "dataset.json"), (lacking, "parts.npy")):
        found = again.datasets.get(info.dataset_id)
        assert found.name == info.dataset_id and why in found.damage and "add it again" in found.damage
        with pytest.raises(DataLoss, match=why) as loss:
            found.require_sound()
        assert loss.value.reason == "DATASET_DAMAGED"
        with pytest.raises(DataLoss, match=why):
            again.datasets.folder(info.dataset_id)
        again.datasets.delete(info.dataset_id)
    assert World(tmp_path).datasets.page() == again.datasets.page() == [good]


def test_damage_that_is_found_by_use_is_listed_until_it_is_gone(world: World, tmp_path: Path) -> None:
    info = world.add(write_npz(tmp_path / "s.npz", x=IMAGES, y=LABELS))
    path = tmp_path / "datasets" / info.dataset_id / "labels.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"\xff")
    assert not world.datasets.page()[0].damage
    with pytest.raises(DataLoss):
        world.datasets.folder(info.dataset_id)
    assert "add it again" in world.datasets.page()[0].damage and world.datasets.get("set").damage
    path.write_bytes(whole)
    world.datasets.folder(info.dataset_id)
    assert world.datasets.page() == [info]


@pytest.mark.parametrize(
    ("before", "after"), [(b"(30,", b"(30\x00"), (b"|u1", b"|i1"), (b"(30,", b"{30,"), (b"{", b"k")]
)
def test_a_damaged_header_of_an_array_is_told(world: World, tmp_path: Path, before: bytes, after: bytes) -> None:
    info = world.add(write_npz(tmp_path / "s.npz", x=IMAGES, y=LABELS))
    path = tmp_path / "datasets" / info.dataset_id / "rasters.npy"
    path.write_bytes(path.read_bytes().replace(before, after, 1))
    with pytest.raises(DataLoss, match="add it again"):
        world.store.folder(info.dataset_id)


def test_finding(world: World, tmp_path: Path) -> None:
    path = write_npz(tmp_path / "s.npz", x=IMAGES, y=LABELS)
    first, second, twin = (world.add(path, name=name) for name in ("one", "two", "two"))
    assert world.datasets.get("one") == world.datasets.get(first.dataset_id) == first
    with pytest.raises(InvalidInput, match=f"(?s)(?=.*{second.dataset_id})(?=.*{twin.dataset_id})"):
        world.datasets.get("two")
    with pytest.raises(NotFound):
        world.datasets.get("three")
    assert world.datasets.page() == [twin, second, first]
    assert world.datasets.page(after=twin.dataset_id, limit=1) == [second]


def test_deleting(world: World, tmp_path: Path) -> None:
    info = world.add(write_npz(tmp_path / "s.npz", x=IMAGES, y=LABELS))
    world.used.add(info.dataset_id)
    with pytest.raises(Precondition, match="cancel the job"):
        world.datasets.delete(info.dataset_id)
    world.used.clear()
    world.datasets.delete(info.dataset_id)
    assert not list((tmp_path / "datasets").iterdir()) and not list((tmp_path / "tmp").iterdir())
    with pytest.raises(NotFound):
        world.datasets.delete(info.dataset_id)
    with pytest.raises(NotFound):
        world.store.folder("../datasets")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX systems")
@pytest.mark.parametrize("limit", [30 * 4096 - 1, 30 * 4096 + 64], ids=["for the spool", "for the arrays"])
def test_a_full_disk(world: World, tmp_path: Path, limit: int) -> None:
    path = write_npz(tmp_path / "s.npz", x=IMAGES, y=LABELS)
    with pytest.raises(Exhausted) as caught, limit_file_size(limit):
        world.add(path)
    assert caught.value.reason == "DISK_FULL"
    assert not list((tmp_path / "tmp").iterdir()) and not list((tmp_path / "datasets").iterdir())
    assert world.datasets.page() == []
    assert world.add(path).labels


def test_a_disconnected_caller_leaves_nothing(world: World, tmp_path: Path) -> None:
    answers = iter([True] * 10)
    gone = Cancellation(lambda: next(answers, False), lambda: 60.0)
    with pytest.raises(Cancelled):
        world.add(write_npz(tmp_path / "s.npz", x=IMAGES, y=LABELS), gone)
    assert not list((tmp_path / "tmp").iterdir()) and not list((tmp_path / "datasets").iterdir())


def test_blank_drawings_are_refused_individually(world: World, tmp_path: Path) -> None:
    blank = np.zeros((1, 28, 28), np.uint8)
    path = write_npz(tmp_path / "s.npz", x=np.concatenate([IMAGES, blank]), y=[*LABELS, 1])
    info = world.add(path)
    assert info.refused_total == 1 and info.refused[0].item == "x[30]"
    assert info.refused[0].message.startswith("shows no drawing")
    assert sum(info.count(part) for part in Part) == 30


@pytest.mark.parametrize(
    "options",
    [{"name": ""}, {"name": "x" * 65}, {"validation_share": 0.6}, {"test_share": -0.1}, {"test_share": float("nan")}],
)
def test_options_out_of_range(world: World, tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        world.add(write_npz(tmp_path / "s.npz", x=IMAGES, y=LABELS), **options)
    assert caught.value.field == f"options.{next(iter(options))}"


def test_the_description_is_plain_json(world: World, tmp_path: Path) -> None:
    info = world.add(write_npz(tmp_path / "s.npz", x=IMAGES, y=LABELS))
    entry = json.loads((world.store.folder(info.dataset_id) / "dataset.json").read_text())
    assert (entry["format"], entry["sha256"], entry["labels"][0]["label"]) == (1, info.sha256, "0")


def test_names_that_are_not_text_or_too_long(world: World, tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / "set" / label).mkdir(parents=True)
        for i in range(3):
            (tmp_path / "set" / label / f"{i}.png").write_bytes(png(drawing((label, i))))
    Path(os.fsdecode(os.fsencode(tmp_path / "set" / "a") + b"/caf\xe9.png")).write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(tmp_path / "set") + b"/\xe9")).mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "set") + b"/\xe9/1.png")).write_bytes(png(drawing("e")))
    info = world.add(tmp_path / "set")
    assert {one.item for one in info.refused} == {"a/caf\\udce9.png", "\\udce9/1.png"}
    assert World(tmp_path).datasets.get(info.dataset_id) == info
    long = write_zip(tmp_path / "s.zip", folders_of("ab") | {"a/" * 5000 + "1.txt": b"x"})
    assert [len(one.item) for one in world.add(long).refused] == [200]
