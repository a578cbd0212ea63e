"""Two servers on one database know the same, to the last bit, whichever of them is changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import HaleganadaError, NotFound, Precondition, RevisionMismatch, Unavailable
from haleganada_server.core.workspaces.types import TransferFormat
from haleganada_server.core.workspaces.workspace import Workspace
from haleganada_server.core.workspaces.workspaces import Workspaces
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer

from tests.support.postgres import execute, open_postgres
from tests.support.slow import slow
from tests.support.waiting import wait_until
from tests.unit.server.core.workspaces.small_world import (
    CoarseEmbedder,
    drawing,
    lesson,
    open_workspaces,
    posteriors,
)

Open = Callable[..., Workspaces]


@pytest.fixture
def open_server(database_url: str, tmp_path: Path) -> Iterator[Open]:
    """Opens the workspaces of one more server on the database. seed: of its weights."""
    opened: list[Workspaces] = []

    def open_one(seed: int = 0) -> Workspaces:
        folder = tmp_path / f"data-{len(opened)}"
        own = DataDirectory(folder, PillowRasterizer())
        try:
            directory = open_postgres(database_url, own, CoarseEmbedder(seed).hash)
        except BaseException:
            own.close()
            raise
        opened.append(open_workspaces(folder, seed, directory=directory))
        return opened[-1]

    yield open_one
    for workspaces in opened:
        with suppress(OSError):  # one that a test has closed
            workspaces.close()


def assert_same_knowledge(one: Workspace, other: Workspace) -> None:
    """Assert that two servers know the same and answer the same, to the last bit."""
    for workspace in (one, other):
        workspace.state.catch_up()
    mine, theirs = one.knowledge, other.knowledge
    assert (mine.revision, mine.samples_total, mine.stale) == (theirs.revision, theirs.samples_total, theirs.stale)
    assert list(mine.variants.canonical_of.items()) == list(theirs.variants.canonical_of.items())
    assert mine.class_ids == theirs.class_ids and mine.head.labels == theirs.head.labels
    np.testing.assert_array_equal(mine.head.counts, theirs.head.counts)
    k = len(mine.head.prior)
    np.testing.assert_array_equal(mine.head.sums.join(k), theirs.head.sums.join(k))
    np.testing.assert_array_equal(mine.head.moment.to_matrix(), theirs.head.moment.to_matrix())
    assert posteriors(one) == posteriors(other)


def change_at_random(workspace: Workspace, chance: random.Random) -> None:
    """Change a workspace in one of all ways; one that is not possible now changes nothing."""
    label, other = (f"L{chance.randrange(4)}" for _ in range(2))
    sample_id = chance.randrange(1, 2 + workspace.log.last_sample_id())
    taught = lesson(chance.randrange(4), chance.randrange(1000), label)
    changes: list[Callable[[], object]] = [
        lambda: workspace.train(taught),
        lambda: workspace.train_batch([taught, lesson(1, chance.randrange(1000), other)]),
        lambda: workspace.train(lesson(2, chance.randrange(1000), label, variant_of=other)),
        lambda: workspace.relabel(sample_id, label),
        lambda: workspace.forget(sample_id),
        lambda: workspace.link(label, other),
        lambda: workspace.unlink(label),
        workspace.undo,
        workspace.undo,
    ]
    try:
        chance.choice(changes)()
    except HaleganadaError as error:
        assert isinstance(error, (NotFound, Precondition)), error


@pytest.mark.parametrize("seed", [0, *slow(*range(1, 20))])
def test_whatever_is_changed_wherever(open_server: Open, seed: int) -> None:
    chance = random.Random(seed)
    servers = [open_server().get(), open_server().get()]
    for _ in range(40):
        change_at_random(chance.choice(servers), chance)
    assert_same_knowledge(*servers)
    assert_same_knowledge(servers[0], open_server().get())


def test_what_one_server_was_taught_another_knows(open_server: Open) -> None:
    one, other = open_server().get(), open_server().get()
    revision = one.train(lesson(1)).revision
    other.state.catch_up()
    assert other.knowledge.revision == revision and other.knowledge.head.labels == ("L1",)


def test_a_request_is_carried_out_once_whichever_server_gets_it(open_server: Open) -> None:
    one, other = open_server().get(), open_server().get()
    first = one.train(lesson(1, request_id="once"))
    again = other.train(lesson(1, request_id="once"))
    assert again.duplicate and (again.sample_id, again.revision) == (first.sample_id, first.revision)
    assert_same_knowledge(one, other)


def test_an_expected_revision_is_that_of_all_servers(open_server: Open) -> None:
    one, other = open_server(), open_server()
    one.get().train(lesson(1))
    with pytest.raises(RevisionMismatch):
        other.get().link("L1", "L2", expected_revision=0)
    with pytest.raises(RevisionMismatch):
        other.reset("default", "default", expected_revision=0)
    assert other.get().link("L1", "L2", expected_revision=1).revision == 2


def test_a_workspace_that_one_server_resets_or_restores_is_so_at_the_others(open_server: Open) -> None:
    one, other = open_server(), open_server()
    one.get().train(lesson(1))
    kept = one.get().save()
    before = other.get().train(lesson(2)).revision
    _, revision = one.reset("default", "default")
    assert revision > before
    assert other.get().train(lesson(3)).revision == revision + 1
    assert_same_knowledge(one.get(), other.get())
    one.restore("default", kept.snapshot_id)
    assert_same_knowledge(one.get(), other.get())
    assert other.get().knowledge.head.labels == ("L1",)


def test_models_of_one_server_answer_for_no_workspace(open_server: Open) -> None:
    workspaces = open_server()
    with pytest.raises(Precondition, match="cluster"):
        workspaces.activate_model("default", "digits")
    assert workspaces.activate_model("default", "few-shot") is None


def test_servers_with_other_weights_do_not_share_a_database(open_server: Open) -> None:
    open_server(seed=0)
    with pytest.raises(Precondition, match="other weights"):
        open_server(seed=1)


def test_several_servers_embed_samples_anew_at_once(open_server: Open) -> None:
    old = open_server(seed=0)
    for number in range(40):
        old.get().train(lesson(number % 5, number))
    old.close()
    one, other = open_server(seed=1).get(), open_server(seed=1).get()
    one.train(lesson(1, 99))
    wait_until(lambda: not (one.knowledge.stale.labels or other.knowledge.stale.labels))
    assert_same_knowledge(one, other)
    assert one.knowledge.samples_total == 41 and one.knowledge.head.counts.sum() == 41


def test_an_import_is_followed(open_server: Open, tmp_path: Path) -> None:
    one, other = open_server().get(), open_server()
    for number in range(6):
        one.train(lesson(number % 3, number))
    exported = one.export(TransferFormat.ARCHIVE)
    other.create("copy")
    with other.use("copy") as copy:
        assert copy.import_file(exported.path).imported == 6
    third = open_server()
    assert_same_knowledge(third.get("copy"), other.get("copy"))


def test_a_database_that_has_lost_changes_gets_no_more_of_them(open_server: Open, database_url: str) -> None:
    """As after a standby that was behind has taken its place."""
    workspace = open_server().get()
    for hand in range(2):
        workspace.train(lesson(1, hand))
    execute(database_url, "UPDATE haleganada.workspaces SET revision = 1")
    with pytest.raises(Unavailable, match="revision 2 was acknowledged") as caught:
        workspace.train(lesson(2))
    assert caught.value.reason == "WRITING_STOPPED" and workspace.knowledge.revision == 2
    assert workspace.predict(drawing(1, 5)).candidates
