"""A summary that follows the changes is that of a log which is read anew, after any history."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.sample_log.rows import LogSummary
from haleganada_server.core.workspaces.workspace import Workspace
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.store.sample_log.reader import LogReader
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.server.core.workspaces.small_world import lesson, open_workspaces

MANY = 40
"""Samples at the start, so that a change touches few of them."""
changes = st.lists(
    st.tuples(
        st.sampled_from(["teach", "teach many", "forget", "relabel", "undo", "reset", "look"]), st.integers(0, 99)
    ),
    max_size=25,
)


def read_anew(log: SqliteLog) -> LogSummary:
    with closing(LogReader(log.path, log.name)) as reader:
        return reader.summarize(5)


def carry_out(workspace: Workspace, change: str, number: int) -> None:
    """Carry out a change, if it is possible now. number: says which character or sample."""
    samples = workspace.samples(limit=200).samples
    sample_id = samples[number % len(samples)].sample_id if samples else 1
    with suppress(HaleganadaError):
        if change == "teach":
            workspace.train(lesson(number % 7, number))
        elif change == "teach many":
            workspace.train_batch([lesson((number + hand) % 9, hand) for hand in range(number % 30)])
        elif change == "forget":
            workspace.forget(sample_id)
        elif change == "relabel":
            workspace.relabel(sample_id, f"L{number % 5}")
        elif change == "undo":
            workspace.undo()


@given(changes)
def test_a_summary_follows_all_changes(tmp_path_factory: object, history: list[tuple[str, int]]) -> None:
    folder: Path = tmp_path_factory.mktemp("log")  # type: ignore[attr-defined]
    with closing(open_workspaces(folder)) as workspaces:
        workspaces.get().train_batch([lesson(hand % 6, hand) for hand in range(MANY)])
        for change, number in [*history, ("look", 0)]:
            if change == "reset":
                workspaces.reset("default", "default")
            carry_out(workspaces.get(), change, number)
            log = workspaces.get().log
            assert isinstance(log, SqliteLog)
            if change == "look":
                assert log.summarize(5) == read_anew(log)


def test_only_what_a_change_touched_is_read_again(tmp_path: Path) -> None:
    with closing(open_workspaces(tmp_path)) as workspaces:
        workspace = workspaces.get()
        workspace.train_batch([lesson(hand % 6, hand) for hand in range(MANY)])
        log = workspace.log
        assert isinstance(log, SqliteLog)
        before = workspace.memory_bytes
        assert log.summarize(5).samples == MANY
        assert 20 * MANY < workspace.memory_bytes - before < 40 * MANY
        with log.transaction() as transaction:  # no event says so, so that a summary knows it only if it reads all rows
            transaction.set_label(1, "another")
        workspace.train(lesson(0, 99))
        assert "another" not in {label.label for label in log.summarize(5).labels}
        assert "another" in {label.label for label in read_anew(log).labels}
