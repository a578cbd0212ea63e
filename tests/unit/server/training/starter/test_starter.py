"""The starter data set, built from small sources and read as the server imports it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from haleganada_server.__main__ import main
from haleganada_server.config import SHIPPED_MODELS
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.models.files import read_card
from haleganada_server.store.datasets.sources import npz
from haleganada_server.store.datasets.sources.source_item import SourceItem
from haleganada_server.training.export.exemplars import MOST_EACH, read_exemplars
from haleganada_server.training.pretrain.synthesis.rasters import frame_scan
from haleganada_server.training.starter.dataset import LABELS, StarterItem, build_starter_items
from haleganada_server.training.starter.drawings import choose_representatives, format_line
from haleganada_server.training.starter.exemplars import choose_shippable_exemplars
from haleganada_server.training.starter.fonts import find_open_fonts
from haleganada_server.vision import dataset_raster, rasterize_gray
from numpy.typing import NDArray

from tests.support.datasets import drawing

EACH = 300
CAPITALS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for --data whose sources have 81, 20 and 300 different drawings of each label."""
    data = tmp_path_factory.mktemp("sources")
    for folder in ("english_chars62", "omniglot", "mnist"):
        (data / folder).mkdir()
    names = (*LABELS[:10], *CAPITALS, *LABELS[10:])
    np.savez(
        data / "english_chars62" / "english_chars62_64.npz",
        x=_draw(len(names) * 81, 64),
        y=np.repeat(np.arange(len(names), dtype=np.uint8), 81),
        index=np.tile(np.arange(81, dtype=np.int16), len(names)),
        classes=np.array(names),
    )
    np.savez(
        data / "omniglot" / "background_105.npz",
        bits=np.packbits(_draw(26 * 20, 105).reshape(520, -1) > 127, axis=1),
        y=np.repeat(np.arange(26), 20),
        drawer=np.tile(np.arange(1, 21, dtype=np.uint8), 26),
        classes=np.array([f"images_background/Latin/character{i:02}" for i in range(1, 27)]),
    )
    digits = _draw(3000, 28), np.repeat(np.arange(10, dtype=np.uint8), 300)
    tests = _draw(200, 28) // 2, np.repeat(np.arange(10, dtype=np.uint8), 20)
    np.savez(data / "mnist" / "mnist_28.npz", x_train=digits[0], y_train=digits[1], x_test=tests[0], y_test=tests[1])
    return data


def _draw(count: int, side: int) -> NDArray[np.uint8]:
    """Return different drawings, shifted copies of a few, because drawing takes long."""
    few = np.stack([drawing(i, side) for i in range(60)])
    return np.stack([np.roll(few[i % 60], i // 60 % 7, axis=1) for i in range(count)])


@pytest.fixture(scope="module")
def items(sources: Path) -> list[StarterItem]:
    return build_starter_items(sources, None, EACH)


def test_labels_are_balanced_and_test_drawings_are_by_people(items: list[StarterItem]) -> None:
    counts = Counter((item.part, item.label) for item in items)
    assert {counts[Part.TRAIN, label] for label in LABELS} == {EACH}
    assert {counts[Part.TEST, label] for label in LABELS[10:]} == {22}
    assert {counts[Part.TEST, label] for label in LABELS[:10]} == {30}
    assert {item.source for item in items if item.part is not Part.TRAIN} == {"english", "omniglot", "mnist"}
    assert {item.label for item in items} == set(LABELS), "no capitals"


def test_the_same_sources_give_the_same_file_for_the_server(
    sources: Path, items: list[StarterItem], tmp_path: Path
) -> None:
    target = tmp_path / "starter.npz"
    done = CliRunner().invoke(main, ["starter-data", "--data", str(sources), "--out", str(target), "--each", str(EACH)])
    assert done.exit_code == 0 and "test mnist" in done.output
    entries = [entry for entry in npz.read(target) if isinstance(entry, SourceItem)]
    assert [(entry.label, entry.part) for entry in entries] == [(item.label, item.part) for item in items]
    for entry, item in zip(entries[::97], items[::97], strict=True):
        np.testing.assert_array_equal(entry.image, frame_scan(item.ink))


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["starter-data", "--data", str(tmp_path), "--out", str(tmp_path / "x.npz")])
    assert done.exit_code == 1 and "english_chars62_64.npz" in done.output and not (tmp_path / "x.npz").exists()


def test_only_openly_licensed_fonts(tmp_path: Path) -> None:
    for name, license in (("a", "OFL-1.1"), ("b", "UNLICENSED"), ("c", "Apache-2.0")):
        (tmp_path / name / "files").mkdir(parents=True)
        (tmp_path / name / "package.json").write_text(json.dumps({"license": license}))
        (tmp_path / name / "files" / f"{name}-latin-400-normal.woff").write_bytes(b"")
    (tmp_path / "stray-latin-400-normal.woff").write_bytes(b"")
    assert {Path(path).stem[0]: license for path, license in find_open_fonts(tmp_path).items()} == {
        "a": "OFL-1.1", "c": "Apache-2.0"
    }  # fmt: skip


def test_representatives_cover_each_form_once() -> None:
    forms = np.eye(3, dtype=np.float32)[[0, 1, 0, 2, 1, 0]]
    assert [int(forms[i].argmax()) for i in choose_representatives(forms, 3)] == [0, 1, 2]


def test_exemplars_are_training_drawings_that_may_be_shipped() -> None:
    trained = [StarterItem("a", Part.TRAIN, "english", drawing(i)) for i in range(20)]
    others = [StarterItem("a", Part.TRAIN, "mnist", drawing(i)) for i in range(20, 60)]
    tests = [StarterItem("b", Part.TEST, "omniglot", drawing(i)) for i in range(14)]
    (own, none) = choose_shippable_exemplars([*trained, *others, *tests], ("a", "b"))
    allowed = {dataset_raster(rasterize_gray(frame_scan(item.ink))).tobytes() for item in trained[14:]}
    assert {raster.tobytes() for raster in own} == allowed
    assert len(none) == 0, "no test drawing is an exemplar"


def test_the_shipped_model_has_exemplars_of_each_label() -> None:
    (folder,) = SHIPPED_MODELS
    counts = Counter(sample.label for sample in read_exemplars(folder, read_card(folder)))
    assert counts == dict.fromkeys(LABELS, MOST_EACH)


def test_lines_are_black_on_white(items: list[StarterItem]) -> None:
    facts = json.loads(format_line(items[0]))
    assert facts["label"] == "0" and facts["image"].startswith("iVBOR")
