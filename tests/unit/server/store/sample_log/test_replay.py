"""Whatever happens to a workspace, its tables match its events."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.workspaces.workspace import Workspace
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.server.core.workspaces.small_world import lesson, open_workspaces
from tests.unit.server.store.sample_log.replay import load_tables, replay_events

LABELS = st.sampled_from(["a", "b", "c", "d"])
CHANGES = st.one_of(
    st.tuples(st.just("teach"), LABELS, st.just("")),
    st.tuples(st.just("teach"), LABELS, LABELS),
    st.tuples(st.just("relabel"), st.integers(1, 8), LABELS),
    st.tuples(st.just("forget"), st.integers(1, 8)),
    st.tuples(st.just("link"), LABELS, LABELS),
    st.tuples(st.just("unlink"), LABELS),
    st.tuples(st.just("undo")),
    st.tuples(st.just("undo")),
)


def change(workspace: Workspace, number: int, kind: str, *facts: object) -> None:
    """Apply one change; a refused one must change nothing."""
    with contextlib.suppress(HaleganadaError):
        if kind == "teach":
            workspace.train(lesson(number % 5, number, label=str(facts[0]), variant_of=str(facts[1])))
        else:
            getattr(workspace, kind)(*facts)


@given(st.lists(CHANGES, max_size=25))
def test_the_tables_match_the_events(changes: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspaces = open_workspaces(Path(folder))
        for number, (kind, *facts) in enumerate(changes):
            change(workspaces.get(), number, str(kind), *facts)
        workspaces.close()
        path = next(Path(folder).glob("workspaces/*/log.sqlite3"))
        assert replay_events(path) == load_tables(path)
