"""Damages files of a workspace and counts what follows: refused, repaired and told, harmless, or silent.

Each round copies a workspace, damages one file, opens the workspace and compares every sample with those before, bit by
bit. Silent is a difference that nothing tells.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from haleganada_server.core.errors import DataLoss
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer

from tests.bench.damage.damages import damage_file, listen
from tests.unit.server.store.rows import forget, link, teach_all

_FILES = ("log.sqlite3", "log.sqlite3-wal", "mark", "workspace.json", "snapshots/*.sqlite3", "snapshots/*.json")


def read_state(directory: DataDirectory) -> list[Any]:
    """Return everything that a workspace answers with, and its sound snapshots."""
    with closing(directory.open("w")) as log:
        rows = [
            (*(getattr(row, name) for name in row.__dataclass_fields__ if name != "embedding"), row.embedding.tobytes())
            for row in (*log.all_samples(), *log.forgotten_samples())
        ]
        state = [rows, log.revision(), log.links(), log.class_ids(), log.created_us, [log.count(x) for x in "abc"]]
    return [[directory.names(), *state], [info for info in directory.snapshots("w") if directory.is_sound("w", info)]]


def make_killed_workspace(data: Path) -> None:
    """Write the files of a server that was killed: a log with a journal, a mark, a snapshot."""
    living = data.with_name("living")
    with _open(living) as directory, closing(directory.create("w")) as log:
        teach_all(log, ["a", "b"] * 60)
        with log.transaction() as transaction:
            forget(transaction, 3)
            link(transaction, "b", "a")
        log.checkpoint()
        directory.save(log, "kept")
        teach_all(log, ["c"] * 10)
        shutil.copytree(living, data)


@contextmanager
def _open(data: Path) -> Iterator[DataDirectory]:
    directory = DataDirectory(data, PillowRasterizer())
    try:
        yield directory
    finally:
        directory.close()


def damage_once(original: Path, copy: Path, pattern: str, expected: list[Any], chance: random.Random) -> str:
    """Damage a copy of the workspace; return what follows."""
    shutil.copytree(original, copy)
    damage_file(next(copy.glob(f"workspaces/*/{pattern}")), chance)
    try:
        with listen() as told, _open(copy) as directory:
            found = read_state(directory)
    except DataLoss:
        return "refused"
    finally:
        shutil.rmtree(copy)
    if found == expected:
        return "harmless"
    if _differ_in_lost_drawings_only(found, expected):
        return "told"
    if told.count or (found[0] == expected[0] and not found[1]):  # a damaged snapshot is listed as that
        return "told"
    return "SILENT"


def _differ_in_lost_drawings_only(found: list[Any], expected: list[Any]) -> bool:
    """Return whether the samples differ only in drawings that are gone, so that whoever asks for one gets DATA_LOSS."""
    pairs = zip(found[0][1], expected[0][1], strict=True)
    restored = [(*one[:3], one[3] or other[3], *one[4:]) for one, other in pairs]
    return bool([found[0][0], restored, *found[0][2:]] == expected[0])


def measure(rounds: int, seed: int = 0) -> dict[str, Counter[str]]:
    """Return how often each outcome followed, by file."""
    chance, outcomes = random.Random(seed), {pattern: Counter[str]() for pattern in _FILES}
    with tempfile.TemporaryDirectory() as folder:
        original = Path(folder) / "original"
        make_killed_workspace(original)
        shutil.copytree(original, Path(folder) / "read")
        with _open(Path(folder) / "read") as directory:
            expected = read_state(directory)
        for number in range(rounds):
            pattern = _FILES[number % len(_FILES)]
            outcomes[pattern][damage_once(original, Path(folder) / "copy", pattern, expected, chance)] += 1
    return outcomes
