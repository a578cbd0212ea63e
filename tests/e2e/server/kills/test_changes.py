"""A server that dies between two steps of a change comes back with the old state or the new one, and nothing half."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient
from haleganada_client.errors import HaleganadaError

from tests.e2e.processes import ServerProcess
from tests.e2e.server.kills.changes import (
    World,
    find_failpoints,
    has_ended,
    make_world,
    run_rounds,
    start_armed,
)
from tests.e2e.server.kills.model import ModelOfWorkspace
from tests.support.slow import slow

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")

CHANGES = {
    "replace": ("reset", "restore"),
    "keep": ("reset",),
    "delete": ("delete",),
    "create": ("create",),
    "upgrade": ("create",),
    "commit": ("train", "import"),
    "import": ("import",),
    "snapshot": ("save",),
    "move": ("save", "activate"),
    "dataset": ("upload",),
    "upload": ("upload",),
    "remove": ("delete data set", "delete job", "delete model"),
    "discard": ("discard",),
    "job": ("fit",),
    "model": ("fit",),
    "model.activated": ("activate",),
    "model.removed": ("delete model",),
}
"""The changes that reach a failpoint, or those of a family."""
PAIRS = tuple(
    (point, what) for point in find_failpoints() for what in CHANGES.get(point) or CHANGES[point.partition(".")[0]]
)
QUICK = (("import.committed", "import"), ("job.registered", "fit"))
"""Of what a whole server is needed for; the store's own steps are killed in tests/unit/server/store/kills/."""


@pytest.mark.parametrize("pairs", [QUICK, *slow(PAIRS)], ids=["quick", "all"])
def test_kill_at_failpoints(tmp_path: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """Each server checks what the one before left, and then dies at the next point."""
    world = make_world(tmp_path / "data", tmp_path / "scratch", seed=3)
    known = world.workspaces[1]
    running = start_armed(world.data)
    prepare(world, running)
    try:
        for point, what in pairs:
            running.kill()
            running = start_armed(world.data, point)
            world.settle(running)  # what the kill before left; only reads
            with running.client(retry=False) as client:
                with suppress(HaleganadaError):
                    change(world, client, what)
                assert has_ended(running), f"{what} does not reach {point}"
            with running.process:
                running = start_armed(world.data)
            world.settle(running)
            prepare(world, running)
        assert known.revision > len(pairs)
    finally:
        running.kill()


def prepare(world: World, running: ServerProcess) -> None:
    """Give the workspace samples, a snapshot and trash, and the server a data set, two models and no job that runs."""
    known = world.workspaces[1]
    with running.client() as client:
        known.settle(client)
        for what in ("train", "train_batch", "save"):
            known.change(client, what)
        while known.state is None or not known.state.samples:
            known.change(client, "train")
        world.settle(running)
        trainings = world.trainings
        while len(trainings.models) < 2 or len(trainings.ended) < 2:
            fit(world, client)
        trainings.finish(client)
        if len(world.datasets.there) < 2:
            world.datasets.upload(client, world.scratch)


def fit(world: World, client: HaleganadaClient) -> None:
    """Train a model, and wait for it."""
    world.trainings.change(client, world.scratch, "start")
    world.trainings.finish(client)


def change(world: World, client: HaleganadaClient, what: str) -> None:
    """Make a change of a kind, again if it does not end."""
    known = world.workspaces[1]
    if what == "upload":
        world.datasets.upload(client, world.scratch)
    elif what == "delete data set":
        world.datasets.delete(client)
    elif what == "discard":
        oldest = client.list_snapshots(workspace=known.name)[-1]
        known.saved = ""
        client.delete_snapshot(oldest.snapshot_id, oldest.snapshot_id, workspace=known.name)
    elif what == "fit":
        fit(world, client)
    elif what == "activate":
        world.trainings.change(client, world.scratch, "activate")
        world.trainings.change(client, world.scratch, "activate_few_shot")
    elif what in ("delete job", "delete model"):
        world.trainings.change(client, world.scratch, what.replace(" ", "_"))
    elif what == "create":  # one that never existed
        world.workspaces.append(made := ModelOfWorkspace(f"w{len(world.workspaces)}", known.dice))
        made.change(client, what)
    else:
        known.change(client, what)


@pytest.mark.parametrize("rounds", [2, *slow(40)])
def test_kills_among_all_changes(tmp_path: Path, rounds: int) -> None:
    world = make_world(tmp_path / "data", tmp_path / "scratch", seed=5)
    run_rounds(world, rounds)
    assert world.kills.total() == rounds
