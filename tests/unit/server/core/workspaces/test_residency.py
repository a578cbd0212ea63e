"""Many workspaces in little memory and with few descriptors: which of them are loaded is seen by nobody."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from haleganada_server.core.errors import AlreadyExists, DataLoss, NotFound
from haleganada_server.core.workspaces.prediction_memory import PredictionMemory
from haleganada_server.core.workspaces.workspaces import Workspaces
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.open_files import OpenFiles
from haleganada_server.vision import PillowRasterizer

from tests.support.waiting import wait_until
from tests.unit.server.core.workspaces.small_world import drawing, lesson, open_workspaces

MANY = 24
ONE = 50_000  # bytes: a little more than a small workspace takes
FILES = 12


@contextmanager
def open_few(folder: Path, budget: int = 4 * ONE, seed: int = 0, **settings: Any) -> Iterator[Workspaces]:
    """Open the workspaces with budgets for a few."""
    directory = DataDirectory(folder, PillowRasterizer(), open_files=OpenFiles(FILES))
    workspaces = open_workspaces(folder, seed, directory=directory, memory_budget=budget, **settings)
    try:
        yield workspaces
    finally:
        workspaces.close()


def names(count: int = MANY) -> list[str]:
    return [f"w{number:02}" for number in range(count)]


def teach_many(folder: Path, count: int = MANY) -> None:
    """Create workspaces that call one drawing, character 0, by different labels."""
    with open_few(folder) as workspaces:
        for number, name in enumerate(names(count)):
            workspaces.create(name)
            with workspaces.use(name) as workspace:
                workspace.train_batch([lesson(0, 0, f"zero {number}"), lesson(1, 0, f"one {number}")])


def first_label(workspaces: Workspaces, name: str, character: int = 0) -> str:
    with workspaces.use(name) as workspace:
        return workspace.predict(drawing(character, 7)).candidates[0].label


def count_open_logs(folder: Path) -> int:
    """Return how many descriptors of this process are files of workspaces below a folder."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the descriptor of the listing itself
            found += str(descriptor.readlink()).startswith(str(folder.resolve() / "workspaces"))
    return found


def test_all_are_answered_right_although_few_are_in_memory(tmp_path: Path) -> None:
    teach_many(tmp_path)
    with open_few(tmp_path) as workspaces:
        assert workspaces.list_loaded_names() == ["default"], "the others wait for their first use"
        for _ in range(2):
            for number, name in enumerate(names()):
                assert first_label(workspaces, name) == f"zero {number}"
                assert len(workspaces.list_loaded_names()) <= 4 and name in workspaces.list_loaded_names()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are looked at in /proc")
def test_descriptors_are_bounded_when_all_are_taught_in_turn(tmp_path: Path) -> None:
    teach_many(tmp_path)
    with open_few(tmp_path, budget=10**9) as workspaces:
        for number, name in enumerate(names() * 2):
            with workspaces.use(name) as workspace:
                workspace.train(lesson(2, number))
                assert workspace.samples(limit=1).total == (3 if number < MANY else 4)
            assert count_open_logs(tmp_path) <= FILES + 6, "the budget, and what the log in use needs"
        assert len(workspaces.list_loaded_names()) == MANY + 1, "a log without descriptors stays in memory"
    with open_few(tmp_path) as workspaces:
        assert {info.samples_total for info in workspaces.page("default", 100)} == {4}


def test_what_is_in_use_stays_open(tmp_path: Path) -> None:
    teach_many(tmp_path)
    with open_few(tmp_path, budget=1) as workspaces, workspaces.use("w00") as workspace:
        for name in names():
            first_label(workspaces, name)
        assert {"w00", names()[-1]} == set(workspaces.list_loaded_names())
        assert workspace.train(lesson(2)).samples_total == 3
    with open_few(tmp_path) as workspaces:
        assert workspaces.info("w00").samples_total == 3


def test_what_was_taught_counts_in_the_budget(tmp_path: Path) -> None:
    teach_many(tmp_path, 3)
    with open_few(tmp_path, budget=6 * ONE) as workspaces:
        for name in names(3):
            first_label(workspaces, name)
        assert len(workspaces.list_loaded_names()) == 4
        with workspaces.use("w00") as workspace:
            workspace.train_batch([lesson(number, 0) for number in range(1000)])
        assert workspaces.list_loaded_names() == ["w00"]


def test_lists_load_nothing(tmp_path: Path) -> None:
    teach_many(tmp_path)
    with open_few(tmp_path) as workspaces:
        page = workspaces.page("", 10)
        assert [info.name for info in page] == ["default", *names(9)]
        assert {(info.samples_total, info.labels_known, info.revision) for info in page[1:]} == {(2, 2, 2)}
        assert workspaces.list_loaded_names() == ["default"]
        with workspaces.use("w03") as workspace:
            workspace.train(lesson(2))
        for name in names():
            first_label(workspaces, name)
        assert "w03" not in workspaces.list_loaded_names()
        assert {info.name: info.samples_total for info in workspaces.page("w02", 2)} == {"w03": 3, "w04": 2}


def test_a_file_that_is_no_log_is_listed_as_corrupt_before_anybody_uses_it(tmp_path: Path) -> None:
    teach_many(tmp_path, 3)
    with open_few(tmp_path) as workspaces, workspaces.use("w01") as workspace:
        path = workspace.log.path  # type: ignore[attr-defined]
    path.write_bytes(b"\xff" * 8192)
    with open_few(tmp_path) as workspaces:
        assert [info.name for info in workspaces.page() if info.corrupt] == ["w01"]
        for _ in range(2):
            with pytest.raises(DataLoss, match="w01"), workspaces.use("w01"):
                pass
        assert first_label(workspaces, "w02") == "zero 2"


def test_a_prediction_can_be_corrected_after_its_workspace_was_unloaded(tmp_path: Path) -> None:
    teach_many(tmp_path)
    with open_few(tmp_path, budget=1) as workspaces:
        prediction_id = workspaces.get("w00").predict(drawing(2, 0)).prediction_id
        first_label(workspaces, "w01")
        assert "w00" not in workspaces.list_loaded_names()
        with pytest.raises(NotFound), workspaces.use("w01") as workspace:
            workspace.correct(prediction_id, "two")
        with workspaces.use("w00") as workspace:
            assert workspace.correct(prediction_id, "two").taught.samples_total == 3
        workspaces.delete("w00", "w00")
        workspaces.create("w00")
        with pytest.raises(NotFound), workspaces.use("w00") as workspace:
            workspace.correct(prediction_id, "two")


def test_remembered_predictions_have_one_budget_for_all_workspaces(tmp_path: Path) -> None:
    teach_many(tmp_path, 2)
    with open_few(tmp_path, predictions=PredictionMemory(40_000)) as workspaces:
        ids = [(name, workspaces.get(name).predict(drawing(2, 0)).prediction_id) for name in names(2) * 10]
        remembered = []
        for name, prediction_id in ids:
            try:
                workspaces.get(name).correct(prediction_id, "two")
                remembered.append(prediction_id)
            except NotFound:
                continue
        assert (
            2 < len(remembered) < len(ids)
            and remembered == [prediction_id for _, prediction_id in ids][-len(remembered) :]
        )


@pytest.mark.slow
def test_other_weights_reach_workspaces_that_nobody_opens_one_after_another(tmp_path: Path) -> None:
    teach_many(tmp_path)
    most: list[int] = []
    with open_few(tmp_path, budget=1, seed=1) as workspaces:

        def is_done() -> bool:
            most.append(len(workspaces.list_loaded_names()))
            return all(info.samples_to_embed == 0 for info in workspaces.page("", 100))

        wait_until(is_done)
        assert max(most) <= 3
        assert first_label(workspaces, "w05") == "zero 5"


Operation = Callable[[Workspaces, str, dict[str, list[str]]], None]


def _teach(workspaces: Workspaces, name: str, model: dict[str, list[str]]) -> None:
    label = f"{name} {len(model.get(name, []))}"
    if name not in model:
        with pytest.raises(NotFound), workspaces.use(name):
            pass
        return
    with workspaces.use(name) as workspace:
        workspace.train(lesson(len(model[name]), 0, label))
    model[name].append(label)


def _predict(workspaces: Workspaces, name: str, model: dict[str, list[str]]) -> None:
    for character, label in enumerate(model.get(name, [])):
        with workspaces.use(name) as workspace:
            assert workspace.predict(drawing(character, 0)).candidates[0].label == label


def _create(workspaces: Workspaces, name: str, model: dict[str, list[str]]) -> None:
    if name in model:
        with pytest.raises(AlreadyExists):
            workspaces.create(name)
    else:
        assert workspaces.create(name).samples_total == 0
        model[name] = []


def _reset(workspaces: Workspaces, name: str, model: dict[str, list[str]]) -> None:
    if name in model:
        workspaces.reset(name, name)
        model[name] = []


def _delete(workspaces: Workspaces, name: str, model: dict[str, list[str]]) -> None:
    if name in model:
        workspaces.delete(name, name)
        del model[name]


def _restore(workspaces: Workspaces, name: str, model: dict[str, list[str]]) -> None:
    kept = workspaces.snapshots(name)
    if kept:
        info, _ = workspaces.restore(name, kept[0].snapshot_id)
        assert info.samples_total == kept[0].samples_total
        model[name] = [f"{name} {number}" for number in range(kept[0].samples_total)]


OPERATIONS = (_teach, _teach, _teach, _predict, _create, _reset, _delete, _restore)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_calls_gives_what_a_model_says(tmp_path: Path, seed: int) -> None:
    chosen, model = random.Random(seed), {}  # type: random.Random, dict[str, list[str]]
    with open_few(tmp_path, budget=2 * ONE) as workspaces:
        for _ in range(120):
            chosen.choice(OPERATIONS)(workspaces, chosen.choice(names(5)), model)
            assert workspaces.names() == sorted(["default", *model])
    with open_few(tmp_path) as workspaces:
        found = {info.name: info.samples_total for info in workspaces.page("default", 100)}
        assert found == {name: len(labels) for name, labels in model.items()}
        for name in model:
            _predict(workspaces, name, model)


def test_threads_that_teach_and_ask_all_at_once_lose_nothing(tmp_path: Path) -> None:
    teach_many(tmp_path, 8)
    taught, lock = dict.fromkeys(names(8), 2), threading.Lock()

    def work(seed: int) -> None:
        chosen = random.Random(seed)
        for number in range(40):
            name = chosen.choice(names(8))
            if chosen.random() < 0.3:
                with workspaces.use(name) as workspace:
                    workspace.train(lesson(2 + seed, number))
                with lock:
                    taught[name] += 1
            else:
                assert first_label(workspaces, name) == f"zero {int(name[1:])}"

    with open_few(tmp_path, budget=2 * ONE) as workspaces:
        with ThreadPoolExecutor(6) as threads:
            for done in [threads.submit(work, seed) for seed in range(6)]:
                done.result()
        assert len(workspaces.list_loaded_names()) <= 3
        assert {info.name: info.samples_total for info in workspaces.page("default", 100)} == taught
    with open_few(tmp_path) as workspaces:
        assert {info.name: info.samples_total for info in workspaces.page("default", 100)} == taught
