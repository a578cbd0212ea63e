"""kill -9 in the middle of every kind of change, at random moments and at failpoints; a model checks what is left."""

from __future__ import annotations

import random
import re
import subprocess
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from haleganada_client import HaleganadaClient, HaleganadaError
from haleganada_client.errors import DeadlineExceeded, Unavailable

from tests.e2e.processes import ServerEnded, ServerProcess, start_preloaded
from tests.e2e.server.kills.datasets import ModelOfDatasets
from tests.e2e.server.kills.model import ModelOfWorkspace, State
from tests.e2e.server.kills.trainings import ModelOfTrainings
from tests.support.jobs import serve, tiny_child
from tests.support.waiting import wait_until

WEIGHTS = {
    "train": 4,
    "train_batch": 2,
    "correct": 1,
    "import": 2,
    "relabel": 2,
    "forget": 2,
    "link": 1,
    "undo": 2,
    "save": 2,
    "reset": 5,
    "restore": 5,
    "delete": 3,
}
WORKSPACES = ("default", "w1", "w2")
ROOT = Path(__file__).parents[4]
_PATIENCE_S = 5.0  # until a failpoint is reached
_ELSEWHERE = (
    "adopt.", "backup.", "checkpoint.", "correction.", "draft.", "learner.", "leftovers.", "migrate.", "objects.",
    "reading.",
)  # fmt: skip
"""Failpoints that no call of these reaches; other tests kill there."""


def find_failpoints() -> list[str]:
    """Return the names of all failpoints that a server reaches whose jobs learn nothing."""
    found = {
        name
        for path in (ROOT / "server").rglob("*.py")
        for name in re.findall(r'\breach\("([^"]+)"\)', path.read_text(encoding="utf-8"))
    }
    assert found, "the sources are elsewhere"
    return sorted(name for name in found if not name.startswith(_ELSEWHERE))


@dataclass
class World:
    """All that callers change on one data directory, and what went wrong."""

    data: Path
    scratch: Path
    dice: random.Random
    workspaces: list[ModelOfWorkspace]
    trainings: ModelOfTrainings
    datasets: ModelOfDatasets = field(default_factory=ModelOfDatasets)
    kills: Counter[str] = field(default_factory=Counter)
    problems: list[BaseException] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """Acknowledged changes."""
        return sum(known.calls for known in self.workspaces) + self.datasets.calls + self.trainings.calls

    def settle(self, running: ServerProcess) -> None:
        """Check everything after a kill. Raises Unavailable if the server is killed meanwhile; call it again then."""
        if self.problems:
            raise AssertionError("a call failed on a server that ran") from self.problems[0]
        with running.client(retry=False) as client:
            for known in self.workspaces:
                known.settle(client)
            self.datasets.settle(client)
            self.trainings.settle(client)
        check_files(self.data)


def make_world(data: Path, scratch: Path, seed: int) -> World:
    """Return a world with an empty data directory."""
    scratch.mkdir(exist_ok=True)
    workspaces = [ModelOfWorkspace(name, random.Random(seed * 100 + number)) for number, name in enumerate(WORKSPACES)]
    world = World(data, scratch, random.Random(seed), workspaces, ModelOfTrainings(random.Random(seed * 100 + 99)))
    world.workspaces[0].state = State()  # “default” always exists
    return world


def run_rounds(world: World, rounds: int) -> None:
    """Change and kill `rounds` times, half of them at a failpoint, checking after each."""
    failpoints = find_failpoints()
    for _ in range(rounds):
        point = world.dice.choice(failpoints) if world.dice.random() < 0.5 else ""
        reached = _run_round(world, point)
        world.kills[f"at {point}" if reached else "at a random moment"] += 1
    running = start_armed(world.data)
    try:
        world.settle(running)
        with running.client() as client:
            world.trainings.finish(client)
    finally:
        running.kill()


def _run_round(world: World, point: str) -> bool:
    """Start a server, check everything, change and kill; return whether it killed itself at the point."""
    try:
        running = start_armed(world.data, point, world.dice.randint(1, 2))
    except ServerEnded:
        if not point:
            raise
        return True
    try:
        world.settle(running)
        return _change_until_killed(world, running, point)
    except (Unavailable, DeadlineExceeded):  # a job that goes on may reach the point while everything is checked
        if not point or not has_ended(running):
            raise
        return True
    finally:
        running.kill()


def has_ended(running: ServerProcess) -> bool:
    """Return whether a server that does not answer has ended."""
    with suppress(AssertionError):
        wait_until(lambda: running.process.poll() is not None)
    return running.process.poll() is not None


def start_armed(data: Path, point: str = "", number: int = 1) -> ServerProcess:
    """Start a server that kills itself where the point is reached for the number-th time."""
    arguments = [serve.__file__, "0", str(data), tiny_child.__name__]
    return start_preloaded(arguments, f"{point}={number}" if point else "")


def _change_until_killed(world: World, running: ServerProcess, point: str) -> bool:
    """Let all callers change what is theirs, then kill the server; return whether it did so itself."""
    callers = [threading.Thread(target=_change_workspace, args=(world, running, known)) for known in world.workspaces]
    callers += [threading.Thread(target=work, args=(world, running)) for work in (_change_datasets, _change_trainings)]
    for caller in callers:
        caller.start()
    if point:
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(_PATIENCE_S)
    else:
        time.sleep(world.dice.uniform(0.02, 0.8))
    reached = running.process.poll() is not None
    running.kill()
    for caller in callers:
        caller.join(60)
        assert not caller.is_alive()
    return reached


def _change_workspace(world: World, running: ServerProcess, known: ModelOfWorkspace) -> None:
    changes = [what for what in WEIGHTS if known.name != "default" or what != "delete"]
    with _watched(world, running) as client:
        while True:
            known.change(client, known.dice.choices(changes, [WEIGHTS[what] for what in changes])[0])


def _change_datasets(world: World, running: ServerProcess) -> None:
    with _watched(world, running) as client:
        while True:
            world.datasets.change(client, world.scratch)


def _change_trainings(world: World, running: ServerProcess) -> None:
    with _watched(world, running) as client:
        while True:
            world.trainings.change(client, world.scratch)


class _watched:  # noqa: N801
    """A client whose block ends when its server is killed; whatever else ends it is a problem."""

    def __init__(self, world: World, running: ServerProcess) -> None:
        self._world, self._running, self._stack = world, running, ExitStack()

    def __enter__(self) -> HaleganadaClient:
        return self._stack.enter_context(self._running.client(retry=False))

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self._stack.close()
        if isinstance(error, (Unavailable, DeadlineExceeded)) and has_ended(self._running):
            return True
        if error is not None:
            self._world.problems.append(error)
        return isinstance(error, (HaleganadaError, AssertionError))


def check_files(data: Path) -> None:
    """Check that a started server leaves nothing half: each manifest has its file, and no file has two places."""
    for home in (data / "workspaces").iterdir():
        kept = [*home.glob("snapshots/*.sqlite3"), *home.glob("trash/*.sqlite3")]
        manifests = [*home.glob("snapshots/*.json"), *home.glob("trash/*.json")]
        assert {path.stem for path in manifests} == {path.stem for path in kept}
        log = home / "log.sqlite3"
        assert not log.exists() or not any(path.samefile(log) for path in kept)
    wait_until(lambda: not any((data / "tmp").iterdir()))  # a snapshot that the server takes now is there for a moment
