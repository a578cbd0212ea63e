"""The battery of the storage port: what core asks of a log and of a directory of workspaces, whatever keeps them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import AlreadyExists, NotFound, Unavailable
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import ChangeKind, Confusion, Event, LabelSummary, StaleSample
from haleganada_server.core.workspaces.ports import WorkspaceDirectory
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer

from tests.support.memory_store import MemoryDirectory
from tests.support.postgres import open_postgres
from tests.unit.server.store.rows import (
    HASH,
    START_US,
    assert_same,
    read_embeddings,
    reset_event,
    restore_event,
    sample,
    teach,
    teach_all,
)


@pytest.fixture(params=["SQLite", "memory", "PostgreSQL"])
def directory(request: pytest.FixtureRequest, data: Path) -> Iterator[WorkspaceDirectory]:
    """An empty directory of each kind."""
    rasterizer = PillowRasterizer()
    opened: WorkspaceDirectory = MemoryDirectory(rasterizer)
    if request.param == "SQLite":
        opened = DataDirectory(data, rasterizer)
    if request.param == "PostgreSQL":
        opened = open_postgres(request.getfixturevalue("database_url"), DataDirectory(data, rasterizer))
    yield opened
    opened.close()


def test_workspaces_are_created_listed_and_opened(directory: WorkspaceDirectory) -> None:
    assert directory.names() == [] and not directory.exists("ಕ")
    first = directory.create("ಕ")
    assert first.revision() == 0 and first.name == "ಕ"
    directory.create("a").close()
    assert directory.names() == ["a", "ಕ"] and directory.exists("ಕ")
    with pytest.raises(AlreadyExists):
        directory.create("ಕ")
    teach_all(first, ["x"])
    first.close()
    again = directory.open("ಕ")
    assert (again.revision(), again.count(), again.created_us) == (1, 1, first.created_us)
    again.close()
    with pytest.raises(NotFound):
        directory.open("b")


def test_a_new_log_is_empty(log: WorkspaceLog) -> None:
    assert (log.revision(), log.count(), log.samples(), log.sample_facts(), log.links()) == (0, 0, [], [], {})
    ids, labels, vectors = read_embeddings(log)
    assert (ids, labels, vectors.shape[0]) == ([], [], 0)
    assert not list(log.all_samples()) and not list(log.forgotten_samples()) and not log.stale_samples(HASH)
    assert log.samples_by_id([1, 2]) == []


@pytest.mark.parametrize("kind", ["ink", "png"])
def test_a_sample_is_identical_after_a_restart(directory: WorkspaceDirectory, kind: str) -> None:
    log = directory.create("w")
    with log.transaction() as transaction:
        taught = teach(transaction, "ಕ್ಷ", kind=kind)
        assert_same(transaction.sample(taught), sample(taught, "ಕ್ಷ", kind))
    log.close()
    log = directory.open("w")
    assert_same(log.sample(taught), sample(taught, "ಕ್ಷ", kind))
    assert (log.revision(), log.count()) == (1, 1)
    log.close()


def test_an_event_is_read_back_unchanged(log: WorkspaceLog) -> None:
    event = Event(
        kind=ChangeKind.RELABEL,
        time_us=START_US,
        request_id="id",
        payload_hash=b"\0\xff",
        client="client",
        sample_id=7,
        label="b",
        previous="a",
        canonical="c",
        target=3,
        answer='{"answer": 1}',
        revision=40,
    )
    with log.transaction() as transaction:
        assert transaction.append(event) == 40
    with log.transaction() as transaction:
        assert transaction.find_event("id") == event
        assert transaction.find_event("another") is None


def test_an_exception_rolls_everything_back(log: WorkspaceLog) -> None:
    teach_all(log, ["a"])
    with pytest.raises(KeyError), log.transaction() as transaction:
        teach(transaction, "b", request_id="once")
        transaction.set_label(1, "z")
        transaction.set_canonical("a", "b")
        raise KeyError
    assert (log.revision(), log.count(), log.links()) == (1, 1, {})
    first = log.sample(1)
    assert first is not None and first.label == "a"
    with log.transaction() as transaction:
        assert transaction.find_event("once") is None
        assert teach(transaction, "c") == 2


def test_a_group_is_visible_to_itself_and_to_readers_only_when_committed(log: WorkspaceLog) -> None:
    with log.transaction() as transaction:
        for number in range(1, 17):
            assert teach(transaction, f"L{number}", request_id=str(number)) == number
            assert transaction.find_event(str(number)) is not None
            assert log.count() == log.revision() == 0
    assert log.count() == log.revision() == 16


def test_request_ids_are_unique_unless_missing(log: WorkspaceLog) -> None:
    with log.transaction() as transaction:
        teach(transaction, request_id="once")
        teach(transaction)
        teach(transaction)
    with pytest.raises(Exception, match=r"(?i)unique"), log.transaction() as transaction:
        teach(transaction, request_id="once")
    assert log.count() == 3


def test_revisions_grow_whatever_is_requested(log: WorkspaceLog) -> None:
    with log.transaction() as transaction:
        asked = [0, 0, 10, 5, 0]
        given = [transaction.append(Event(ChangeKind.RESET, START_US, revision=revision)) for revision in asked]
    assert given == [1, 2, 10, 11, 12]


def test_forgotten_samples_stay_hidden_and_their_ids_are_never_used_again(log: WorkspaceLog) -> None:
    teach_all(log, ["a", "b"])
    with log.transaction() as transaction:
        transaction.set_forgotten(2, True)
        assert transaction.sample(2) is None
        assert_same(transaction.sample(2, forgotten=True), sample(2, "b"))
        assert transaction.sample(1, forgotten=True) is None
        assert transaction.next_sample_id() == 3
    assert log.sample(2) is None and log.count() == 1
    assert [row.sample_id for row in log.all_samples()] == [1]
    assert [row.sample_id for row in log.forgotten_samples()] == [2]
    assert [fact.sample_id for fact in log.sample_facts()] == read_embeddings(log)[0] == [1]
    assert [row.sample_id for row in log.samples_by_id([2, 1, 3])] == [1, 2]
    assert set(log.clients([1, 2, 1000])) == {1, 2} and log.clients([]) == {}
    with log.transaction() as transaction:
        transaction.set_forgotten(2, False)
    assert_same(log.sample(2), sample(2, "b"))


def test_class_ids_are_never_used_again(log: WorkspaceLog) -> None:
    teach_all(log, ["b", "a", "b"])
    with log.transaction() as transaction:
        transaction.set_forgotten(1, True)
        transaction.append(Event(ChangeKind.RELABEL, START_US, sample_id=2, label="c", previous="a"))
        transaction.append(Event(ChangeKind.LINK, START_US, label="d", canonical="a"))
    assert log.class_ids() == {"b": 0, "a": 1, "c": 2}


def test_undo_finds_the_newest_change_that_is_not_undone(log: WorkspaceLog) -> None:
    with log.transaction() as transaction:
        assert transaction.last_change() is None
        transaction.append(Event(ChangeKind.RESET, START_US))
        assert transaction.last_change() is None, "a reset cannot be undone, only restored"
        for kind in (ChangeKind.TEACH, ChangeKind.LINK, ChangeKind.FORGET):
            transaction.append(Event(kind, START_US))
        found = []
        while (last := transaction.last_change()) is not None:
            found.append(last.kind)
            undo = Event(ChangeKind.UNDO, START_US, target=last.revision)
            transaction.mark_undone(last.revision, transaction.append(undo))
    assert found == [ChangeKind.FORGET, ChangeKind.LINK, ChangeKind.TEACH]


def test_the_change_below_another_is_found(log: WorkspaceLog) -> None:
    with log.transaction() as transaction:
        for kind in (ChangeKind.TEACH, ChangeKind.RESET, ChangeKind.FORGET):
            transaction.append(Event(kind, START_US))
        below = transaction.last_change(3)
        assert below is not None and below.revision == 1 and transaction.last_change(1) is None


def test_the_same_drawing_is_found_among_the_live_ones_of_its_label(log: WorkspaceLog) -> None:
    first, second, third = sample(1, "a"), sample(2, "a"), sample(3, "b")
    second, third = (replace(row, glyph=first.glyph, glyph_kind=first.glyph_kind) for row in (second, third))
    with log.transaction() as transaction:
        for row in (first, second, third):
            transaction.add_sample(row)
        assert transaction.find_drawing("a", first.glyph_kind, first.glyph) == 1
        transaction.set_forgotten(1, True)
        assert transaction.find_drawing("a", first.glyph_kind, first.glyph) == 2
        assert transaction.find_drawing("a", "another kind", first.glyph) == 0
        assert transaction.find_drawing("a", first.glyph_kind, first.glyph + b"x") == 0


def test_links_keep_their_order(log: WorkspaceLog) -> None:
    with log.transaction() as transaction:
        for form, canonical in (("b", "a"), ("c", "a"), ("d", "a"), ("c", ""), ("b", "z"), ("never linked", "")):
            transaction.set_canonical(form, canonical)
    assert list(log.links().items()) == [("d", "a"), ("b", "z")]


def test_pages_are_newest_first_and_can_be_of_one_label(log: WorkspaceLog) -> None:
    teach_all(log, ["a", "b"] * 5)
    assert [row.sample_id for row in log.samples(limit=3)] == [10, 9, 8]
    assert [row.sample_id for row in log.samples(before=8, limit=3)] == [7, 6, 5]
    assert [row.sample_id for row in log.samples("a", before=8, limit=2)] == [7, 5]
    assert (log.count(), log.count("a"), log.count("c")) == (10, 5, 0)


def test_embeddings_follow_the_samples(log: WorkspaceLog) -> None:
    teach_all(log, ["a", "b", "a"])
    new = np.arange(8, dtype=np.float32)
    with log.transaction() as transaction:
        transaction.set_embedding(2, new, "f" * 64)
        transaction.set_forgotten(3, True)
    ids, labels, vectors = read_embeddings(log)
    assert (ids, labels) == ([1], ["a"])
    np.testing.assert_array_equal(vectors, [sample(1).embedding])
    ids, labels, vectors = read_embeddings(log, "f" * 64)
    assert (ids, labels) == ([2], ["b"])
    np.testing.assert_array_equal(vectors, [new])
    assert log.stale_samples("f" * 64) == [StaleSample(1, "a", False), StaleSample(3, "a", True)]
    assert log.stale_samples(HASH) == [StaleSample(2, "b", False)]


def test_embeddings_come_in_blocks_and_the_newest_can_be_had_alone(log: WorkspaceLog) -> None:
    teach_all(log, ["a", "b"] * 1100)
    with log.transaction() as transaction:
        transaction.set_forgotten(2200, True)
        transaction.set_embedding(2198, np.zeros(8, dtype=np.float32), "f" * 64)
    ids, labels, vectors = read_embeddings(log)
    assert ids == [*range(1, 2198), 2199] and labels == ["a", "b"] * 1098 + ["a", "a"]
    np.testing.assert_array_equal(vectors, [sample(number).embedding for number in ids])
    for newest in (0, 1, 2, 1500, 2197, 2198, 2199, 10_000):
        some = read_embeddings(log, newest=newest)
        assert some[0] == ids[max(0, len(ids) - newest) :] and some[1] == labels[max(0, len(ids) - newest) :]
        if newest:
            np.testing.assert_array_equal(some[2], vectors[max(0, len(ids) - newest) :])


def test_the_summary_counts_what_the_samples_say(log: WorkspaceLog) -> None:
    nothing = log.summarize(3)
    assert (nothing.samples, nothing.tested, nothing.recognized, nothing.corrections) == (0, 0, 0, 0)
    assert nothing.average_loss is nothing.min_loss is nothing.max_loss is None
    assert not nothing.labels and not nothing.confusions
    facts = [
        ("a", "", True, 3.0), ("b", "a", True, 1.0), ("a", "a", False, 0.5), ("b", "a", False, 2.0),
        ("b", "b", False, 0.25), ("c", "b", True, 4.0), ("a", "", False, 1.25), ("a", "b", False, 1.0),
        ("b", "a", False, 1.0), ("c", "c", False, 9.0),
    ]  # fmt: skip
    with log.transaction() as transaction:
        for number, (label, predicted, new_label, loss) in enumerate(facts, 1):
            row = replace(sample(number, label), predicted=predicted, new_label=new_label, loss=loss)
            transaction.add_sample(replace(row, correction=number == 4))
        transaction.set_forgotten(10, True)
    found = log.summarize(2)
    assert (found.samples, found.tested, found.recognized, found.corrections) == (9, 6, 2, 1)
    assert (found.min_loss, found.max_loss) == (0.25, 4.0) and found.average_loss == pytest.approx(14 / 9)
    assert found.labels == (
        LabelSummary("a", 4, 1.4375, 1, 8), LabelSummary("b", 4, 1.0625, 1, 9), LabelSummary("c", 1, 4.0, 0, 6),
    )  # fmt: skip
    assert found.confusions == (Confusion("b", "a", 2), Confusion("a", "b", 1))
    assert log.summarize(1).confusions == (Confusion("b", "a", 2),)
    assert [fact.sample_id for fact in log.sample_facts(2)] == [8, 9]
    assert log.sample_facts(0) == []


def test_a_long_read_sees_one_state(log: WorkspaceLog) -> None:
    teach_all(log, ["a"] * 600)
    reading = log.all_samples()
    seen = [next(reading)]
    with log.transaction() as transaction:
        for sample_id in range(1, 601, 2):
            transaction.set_forgotten(sample_id, True)
        teach(transaction)
    seen += reading
    assert [row.sample_id for row in seen] == list(range(1, 601))
    assert log.count() == 301


def test_readers_never_wait_for_the_writer(log: WorkspaceLog) -> None:
    teach_all(log, ["a"])
    answers: list[int] = []
    with log.transaction() as transaction:
        teach(transaction)
        reader = threading.Thread(target=lambda: answers.append(log.count() + len(list(log.all_samples()))))
        reader.start()
        reader.join(10)
        assert answers == [2]


def test_many_threads_read_while_one_writes(log: WorkspaceLog) -> None:
    """Each read sees a state in which the newest revision has its sample."""
    problems: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            revision, samples = log.revision(), log.samples(limit=1)
            if revision and samples[0].revision < revision:
                problems.append(f"revision {revision}, but newest sample {samples[0].revision}")

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for _ in range(50):
        teach_all(log, ["a", "b"])
    done.set()
    for reader in readers:
        reader.join()
    assert not problems and log.count() == 100


def test_closing_waits_for_a_long_read_and_refuses_new_ones(log: WorkspaceLog) -> None:
    teach_all(log, ["a"] * 300)
    reading = log.all_samples()
    next(reading)
    closing = threading.Thread(target=log.close)
    closing.start()
    assert len(list(reading)) == 299
    closing.join(10)
    assert not closing.is_alive()
    for late in (log.revision, lambda: next(log.all_samples()), lambda: log.transaction().__enter__()):
        with pytest.raises(Unavailable, match="replaced or closed"):
            late()


def test_a_snapshot_can_be_restored_repeatedly(directory: WorkspaceDirectory, log: WorkspaceLog) -> None:
    with log.transaction() as transaction:
        teach(transaction, "a", request_id="once")
    kept = directory.save(log, "")
    for revision in (2, 3, 4):
        log, _ = directory.replace("w", log, restore_event(revision), kept.snapshot_id)
        assert (log.revision(), log.count()) == (revision, 1)
        with log.transaction() as transaction:
            assert transaction.find_event("once") is not None
    log.close()


def test_revisions_continue_even_after_a_workspace_was_deleted(
    directory: WorkspaceDirectory, log: WorkspaceLog
) -> None:
    teach_all(log, ["a"])
    kept = directory.save(log, "")
    teach_all(log, ["a"] * 9)
    directory.delete("w", log)
    assert directory.names() == []
    back, retired = directory.replace("w", None, restore_event(), kept.snapshot_id)
    assert retired is None and (back.revision(), back.count()) == (11, 1)
    back.close()


def test_sample_ids_are_never_used_twice(directory: WorkspaceDirectory, log: WorkspaceLog) -> None:
    teach_all(log, ["a"] * 2)
    kept = directory.save(log, "")
    teach_all(log, ["a"] * 2)
    log, _ = directory.replace("w", log, reset_event())
    assert (log.count(), log.last_sample_id()) == (0, 4)
    teach_all(log, ["b"])
    log, _ = directory.replace("w", log, restore_event(), kept.snapshot_id)
    teach_all(log, ["b"])
    assert [row.sample_id for row in log.all_samples()] == [1, 2, 6]
    directory.delete("w", log)
    again = directory.create("w")
    assert again.revision() > log_revision_of(directory, "w")
    teach_all(again, ["c"])
    assert [row.sample_id for row in again.all_samples()] == [7]
    again.close()


def log_revision_of(directory: WorkspaceDirectory, name: str) -> int:
    """Return the greatest revision in a workspace's trash."""
    return max(kept.revision for kept in directory.snapshots(name))


def test_a_deleted_workspace_can_be_restored_from_its_trash(directory: WorkspaceDirectory, log: WorkspaceLog) -> None:
    teach_all(log, ["a", "b"])
    retired = directory.delete("w", log)
    assert retired is not None
    assert directory.snapshots("w") == [retired]
    with pytest.raises(NotFound):
        directory.delete("w", None)
    back, _ = directory.replace("w", None, restore_event(), retired.snapshot_id)
    assert (back.count(), directory.names()) == (2, ["w"])
    back.close()


def test_each_workspace_has_its_own_snapshots(directory: WorkspaceDirectory, log: WorkspaceLog) -> None:
    kept = directory.save(log, "")
    assert directory.snapshots("other") == []
    with pytest.raises(NotFound):
        directory.replace("other", None, restore_event(), kept.snapshot_id)
    with pytest.raises(AlreadyExists):
        directory.create("w")


@pytest.mark.parametrize("forged", ["", "../../log", "nothing", "r0-" + "0" * 12, "*"])
def test_an_unknown_snapshot_is_not_found(directory: WorkspaceDirectory, log: WorkspaceLog, forged: str) -> None:
    directory.save(log, "")
    with pytest.raises(NotFound):
        directory.replace("w", log, restore_event(), forged or "?")
    assert not log.closed and directory.names() == ["w"]


def test_ids_are_unique_even_if_the_clock_stands_still(
    directory: WorkspaceDirectory, log: WorkspaceLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: START_US * 1000)
    kept = {directory.save(log, "same").snapshot_id for _ in range(5)}
    assert len(kept) == 5 and {known.snapshot_id for known in directory.snapshots("w")} == kept


def test_saving_does_not_block_teaching(directory: WorkspaceDirectory, log: WorkspaceLog) -> None:
    """The snapshot, its counts and its seed files show the same moment, whatever is taught at the same time."""
    teach_all(log, ["a"] * 3)
    with log.transaction() as transaction:
        teach(transaction, "b")
        kept = directory.save(log, "during a commit")
    assert (kept.revision, kept.samples_total, log.count()) == (3, 3, 4)
