"""Model folders on disk are complete or absent, and a damaged one does not affect the others."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import DataLoss, HaleganadaError
from haleganada_server.core.models.files import require_intact
from haleganada_server.store import DataDirectory
from haleganada_server.store.models import ModelFolders

from tests.support.preloaded import PreloadedProcess
from tests.support.tiny_model import TinyModel, write_tiny_model

RASTER = np.zeros((128, 128), np.uint8)
RASTER[40:80, 40:80] = 255
MODEL = TinyModel({"a": RASTER, "b": RASTER.T.copy()})
ROUNDS = 6
FLIPS = 200


@pytest.fixture
def folders(data: Path, directory: DataDirectory) -> ModelFolders:
    return ModelFolders(data / "models", directory.temporary_file)


def edit_card(**changes: object) -> Callable[[Path], None]:
    """Return a function that damages a folder: it changes entries of its card, which loses its checksum."""

    def edit(home: Path) -> None:
        card = json.loads((home / "model.json").read_text(encoding="utf-8"))
        del card["checksum"]
        (home / "model.json").write_text(json.dumps({**card, **changes}), encoding="utf-8")

    return edit


def replace_text(name: str, content: str) -> Callable[[Path], None]:
    """Return a function that damages a folder: it replaces the content of a file."""

    def write(home: Path) -> None:
        (home / name).write_text(content, encoding="utf-8")

    return write


def change_metric(home: Path) -> None:
    """Damage a folder: its card is as good as before, with another value."""
    card = (home / "model.json").read_text(encoding="utf-8")
    (home / "model.json").write_text(card.replace("0.75", "0.95"), encoding="utf-8")


DAMAGE: dict[str, Callable[[Path], None]] = {
    "no card": lambda home: (home / "model.json").unlink(),
    "not JSON": replace_text("model.json", "{"),
    "not an object": replace_text("model.json", "[]"),
    "deep": replace_text("model.json", "[" * 100_000),
    "no format": edit_card(format=0),
    "no labels": edit_card(labels=[]),
    "labels twice": edit_card(labels=["a", "a"]),
    "labels that collide in NFC": edit_card(labels=["\u0c95", "e\u0301"]),
    "an empty label": edit_card(labels=["a", ""]),
    "a number as label": edit_card(labels=["a", 1]),
    "text as a metric": edit_card(metrics={"milliseconds": "fast"}),
    "another value": change_metric,
    "a path": edit_card(sha256={"model.onnx": "0" * 64, "../../secret": "0" * 64}),
}
CHANGED = {
    "no ONNX": lambda home: (home / "model.onnx").unlink(),
    "changed ONNX": replace_text("model.onnx", "x"),
    "changed weights": replace_text("model.safetensors", "x"),
}


@pytest.mark.parametrize("damage", [*DAMAGE.values(), *CHANGED.values()], ids=[*DAMAGE, *CHANGED])
def test_a_damaged_folder_is_not_registered(
    folders: ModelFolders, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    made = write_tiny_model(tmp_path, MODEL, damage)
    with pytest.raises(HaleganadaError) as caught:
        folders.add(made, "0" * 12)
    assert caught.value.reason == "MODEL_DAMAGED" and "again" in caught.value.message
    assert made.is_dir() and not folders.all(), "it stays where it was, for inspection"


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_card_that_was_damaged_later_makes_a_damaged_model(
    folders: ModelFolders, tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = (folders.add(write_tiny_model(tmp_path, MODEL), digit * 12) for digit in "ab")
    damage(bad.folder)
    sound, damaged = folders.all()
    assert sound == good and not sound.card_damage
    assert (damaged.model_id, damaged.card.name, damaged.card.labels) == (bad.model_id, bad.model_id, ())
    assert damaged.card_damage in caplog.text and "train it again, or delete it" in damaged.card_damage
    with pytest.raises(DataLoss, match=bad.model_id):
        damaged.require_card()


def test_a_model_without_a_file_is_listed_as_damaged(folders: ModelFolders, tmp_path: Path) -> None:
    model = folders.add(write_tiny_model(tmp_path, MODEL), "a" * 12)
    (model.folder / "model.onnx").unlink()
    (found,) = folders.all()
    told = folders.find_visible_damage(found)
    assert found.card == model.card and told is not None and "model.onnx is missing" in told.message


def test_every_flipped_bit_of_a_card_is_told_or_harmless(folders: ModelFolders, tmp_path: Path) -> None:
    model, chance = folders.add(write_tiny_model(tmp_path, MODEL), "a" * 12), random.Random(5)
    path = model.folder / "model.json"
    whole, told = path.read_bytes(), 0
    for _ in range(FLIPS):
        content = bytearray(whole)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        (found,) = folders.all()
        assert found.card_damage or asdict(found.card) == asdict(model.card), bytes(content)
        told += bool(found.card_damage)
    assert told > FLIPS / 2


def test_cards_of_earlier_versions_have_no_checksum(folders: ModelFolders, tmp_path: Path) -> None:
    model = folders.add(write_tiny_model(tmp_path, MODEL, edit_card()), "a" * 12)
    assert folders.all() == [model] and not model.card_damage


def test_models_of_the_package(
    data: Path, directory: DataDirectory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A missing one is ignored; a damaged one is listed as that and logged."""
    good, bad = (write_tiny_model(tmp_path, MODEL).rename(tmp_path / name) for name in ("letters", "bad"))
    (bad / "model.json").write_text("{")
    folders = ModelFolders(data / "models", directory.temporary_file, (good, tmp_path / "missing", bad))
    own = folders.add(write_tiny_model(tmp_path, MODEL), "d" * 12)
    found = folders.all()
    facts = [(model.model_id, model.built_in, bool(model.card_damage)) for model in found]
    assert facts == [(own.model_id, False, False), ("letters", True, False), ("bad", True, True)]
    assert "bad" in caplog.text and "missing below" not in caplog.text


def test_foreign_things_below_models_are_left_alone(folders: ModelFolders, data: Path) -> None:
    (data / "models" / "notes.txt").write_text("mine")
    (data / "models" / "backup").mkdir()
    (data / "models" / ("f" * 12)).write_text("not a folder")
    assert not folders.all() and (data / "models" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("content", ["", "[1]", "\x00", '{"w": '])
def test_unreadable_active_models_are_told(folders: ModelFolders, data: Path, content: str) -> None:
    folders.save_active({"ಕ/..": "a" * 12})
    assert folders.load_active() == {"ಕ/..": "a" * 12}
    (data / "models" / "active.json").write_text(content)
    with pytest.raises(DataLoss, match="activate one in each workspace"):
        folders.load_active()


def test_active_models_with_another_value_than_was_written_are_told(folders: ModelFolders, data: Path) -> None:
    folders.save_active({"w": "a" * 12})
    path = data / "models" / "active.json"
    path.write_text(path.read_text().replace("aaaa", "aaba"))
    with pytest.raises(DataLoss, match="changed since it was written"):
        folders.load_active()


def test_active_models_of_earlier_versions_have_no_checksum(folders: ModelFolders, data: Path) -> None:
    (data / "models" / "active.json").write_text('{"w": "aaaaaaaaaaaa"}')
    assert folders.load_active() == {"w": "a" * 12}


def test_a_removed_model_is_gone(folders: ModelFolders, data: Path, tmp_path: Path) -> None:
    model = folders.add(write_tiny_model(tmp_path, MODEL), "c" * 12)
    assert model.bytes_on_disk == sum(path.stat().st_size for path in model.folder.iterdir())
    folders.remove(model)
    assert not folders.all() and not list((data / "tmp").iterdir()) and not model.folder.exists()


@pytest.mark.slow
def test_killed_while_registering_and_deleting(data: Path) -> None:
    """After kill -9 at random moments, all models on disk are complete, and all acknowledged ones are there."""
    chance, acknowledged = random.Random(3), set[str]()
    for _ in range(ROUNDS):
        acknowledged |= run_and_kill(data, chance.uniform(0.02, 0.15))
        found = ModelFolders(data / "models", lambda: data / "tmp" / "x").all()
        for model in found:
            require_intact(model.folder, model.card, model.card.sha256)
        assert acknowledged <= {model.model_id for model in found}
        folders = [path for path in (data / "models").iterdir() if path.is_dir()]
        assert len(folders) == len(found), "half a model"
    assert acknowledged


def run_and_kill(data: Path, after_s: float) -> set[str]:
    """Let a process register models for a while, kill it, and return the ids that it acknowledged."""
    with PreloadedProcess(("-m", "tests.unit.server.store.kills.killed_registrar", str(data))) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(after_s)
        process.kill()
        return set(process.stdout.read().split("\n")[:-1])
