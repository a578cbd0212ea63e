"""Other weights: the workspace is open at once, and ends up as if everything had been re-embedded before it opened,
whatever was changed meanwhile.
"""

from __future__ import annotations

import logging
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import DataLoss, Precondition
from haleganada_server.core.fewshot.confidence import Decision
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.sample_log.rows import ChangeKind, StaleSample
from haleganada_server.core.workspaces.background_adaptation import BackgroundAdaptation
from haleganada_server.core.workspaces.ports import WorkspaceDirectory
from haleganada_server.core.workspaces.reembedding import Reembedder, order_samples
from haleganada_server.core.workspaces.snapshots.automatic import AutomaticSnapshots
from haleganada_server.core.workspaces.snapshots.keeper import SnapshotKeeper
from haleganada_server.core.workspaces.types import TransferFormat
from haleganada_server.core.workspaces.workspace import Workspace
from haleganada_server.core.workspaces.workspaces import Workspaces
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.memory_store import MemoryDirectory
from tests.support.waiting import wait_until
from tests.unit.server.core.workspaces.small_world import (
    CoarseEmbedder,
    assert_same_posteriors,
    drawing,
    lesson,
    make_dependencies,
    open_workspaces,
    posteriors,
)

OLD, NEW = 0, 1  # the weights that a workspace was taught with, and those that it is opened with
Sample = tuple[int, int]
Operation = tuple[str, int, int]


def in_background() -> bool:
    return threading.current_thread().name == "reembed"


@dataclass(frozen=True)
class GatedEmbedder(CoarseEmbedder):
    """Embeds at once for callers, and for the background thread only when the gate lets it through."""

    seed: int = NEW
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def embed(self, rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        if in_background():
            self.arrived.release()
            self.gate.acquire()
        return super().embed(rasters)

    def let_one_through(self, workspaces: Workspaces) -> None:
        """Let one batch through; return when the next one has been loaded, or there is none."""
        self.gate.release()
        wait_until(lambda: self.arrived.acquire(blocking=False) or to_embed(workspaces) == 0)

    def open(self) -> None:
        """Let all remaining batches through."""
        self.gate.release(10_000)


@contextmanager
def open_gated(folder: Path, directory: WorkspaceDirectory | None = None) -> Iterator[tuple[Workspaces, GatedEmbedder]]:
    """Open the workspaces below a folder with new weights; yield when the first stale samples are loaded but none
    has been embedded.
    """
    embedder = GatedEmbedder()
    workspaces = open_workspaces(folder, embedder=embedder, directory=directory)
    assert embedder.arrived.acquire(timeout=60)
    try:
        yield workspaces, embedder
    finally:
        threading.Timer(0.1, embedder.open).start()  # in the middle of closing, which waits for the batch in progress
        workspaces.close()


def teach_old(
    folder: Path, samples: list[Sample], forgotten: Collection[int] = (), directory: WorkspaceDirectory | None = None
) -> None:
    """Teach a workspace with the old weights. forgotten: sample_ids."""
    workspaces = open_workspaces(folder, OLD, directory=directory)
    workspaces.get().train_batch([lesson(*sample) for sample in samples])
    for sample_id in forgotten:
        workspaces.get().forget(sample_id)
    workspaces.close()


def to_embed(workspaces: Workspaces, name: str = "") -> int:
    count = workspaces.info(name).samples_to_embed
    assert workspaces.get(name).stats().samples_to_embed <= count, "the later figure"
    return count


def wait_until_embedded(workspaces: Workspaces, name: str = "") -> None:
    wait_until(lambda: to_embed(workspaces, name) == 0)


def posteriors_with_new_weights(samples: list[Sample]) -> dict[str, list[float]]:
    """Return the posteriors of a workspace that never knew the old weights."""
    with tempfile.TemporaryDirectory() as folder:
        workspaces = open_workspaces(Path(folder), NEW)
        workspaces.get().train_batch([lesson(*sample) for sample in samples])
        found = posteriors(workspaces.get())
        workspaces.close()
        return found


MANY = [(character, hand) for character in range(5) for hand in range(9)]


def test_opening_does_not_wait_for_the_embedder(tmp_path: Path) -> None:
    teach_old(tmp_path, MANY)
    with open_gated(tmp_path) as (workspaces, embedder):
        workspace, info = workspaces.get(), workspaces.info()
        assert (info.samples_to_embed, info.samples_total, info.labels_known) == (45, 45, 5)
        assert info.embedder_hash == embedder.hash
        answer = workspace.predict(drawing(0, 50))
        assert answer.decision is Decision.UNKNOWN and not answer.candidates, "taught, but not recognizable yet"
        learned = workspace.train(lesson(0, 50))
        assert (learned.labels_known, learned.samples_total) == (5, 46)
        found = workspace.predict(drawing(0, 51)).candidates
        assert [(candidate.label, candidate.samples) for candidate in found] == [("L0", 10)]
        assert to_embed(workspaces) == 45
        embedder.open()
        wait_until_embedded(workspaces)
        assert_same_posteriors(posteriors(workspace), posteriors_with_new_weights([*MANY, (0, 50)]))


def test_every_label_is_recognized_after_the_first_batch(tmp_path: Path) -> None:
    teach_old(tmp_path, MANY)
    with open_gated(tmp_path) as (workspaces, embedder):
        embedder.let_one_through(workspaces)
        assert 0 < to_embed(workspaces) < len(MANY)
        for character in range(5):
            assert workspaces.get().predict(drawing(character, 50)).candidates[0].label == f"L{character}"


def test_labels_take_turns_and_forgotten_samples_come_last() -> None:
    labels = {1: "a", 2: "a", 3: "b", 4: "a", 5: "c", 6: "b"}
    stale = [StaleSample(sample_id, label, sample_id == 6) for sample_id, label in labels.items()]
    assert order_samples(stale) == [5, 4, 3, 2, 1, 6]


def _teach(workspace: Workspace, first: int, second: int) -> None:
    workspace.train(lesson(first % 6, second))


def _correct(workspace: Workspace, first: int, second: int) -> None:
    prediction = workspace.predict(drawing(first % 6, second))
    workspace.correct(prediction.prediction_id, f"L{second % 6}")


def _forget(workspace: Workspace, first: int, _second: int) -> None:
    if live := workspace.samples(limit=200).samples:
        workspace.forget(live[first % len(live)].sample_id)


def _relabel(workspace: Workspace, first: int, second: int) -> None:
    if live := workspace.samples(limit=200).samples:
        workspace.relabel(live[first % len(live)].sample_id, f"L{second % 7}")


def _link(workspace: Workspace, first: int, second: int) -> None:
    with suppress(Precondition):  # a circle
        workspace.link(f"L{first % 6}", f"L{second % 6}")


def _undo(workspace: Workspace, _first: int, _second: int) -> None:
    with suppress(Precondition):  # nothing to undo
        workspace.undo()


def _import(workspace: Workspace, _first: int, _second: int) -> None:
    """Import the workspace's own export, which teaches every drawing a second time."""
    exported = workspace.export(TransferFormat.ARCHIVE)
    workspace.import_file(exported.path)
    exported.close()


OPERATIONS: dict[str, Callable[[Workspace, int, int], None]] = {
    "teach": _teach, "correct": _correct, "forget": _forget, "relabel": _relabel, "link": _link, "undo": _undo,
    "import": _import,
}  # fmt: skip
operation = st.tuples(st.sampled_from([*OPERATIONS, "batch", "batch"]), st.integers(0, 99), st.integers(0, 99))


def facts(workspace: Workspace) -> list[tuple[int, str, str, int]]:
    """Return what does not depend on when the live samples were embedded."""
    samples = workspace.samples(limit=1000).samples
    return [(sample.sample_id, sample.label, sample.canonical, sample.revision) for sample in samples]


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20)), min_size=1, max_size=40),
    st.sets(st.integers(1, 40), max_size=4),
    st.lists(operation, max_size=14),
)
@example(
    MANY,
    {3, 20},
    [(kind, 7 * i, 5 * i) for i in range(2) for kind in ("batch", "forget", "relabel", "undo", "teach", "import")],
)
def test_as_if_everything_had_been_embedded_before(
    samples: list[Sample], forgotten: set[int], operations: list[Operation]
) -> None:
    """Between any two changes, and while a batch is loaded but not written, any other change may come."""
    forgotten = {sample_id for sample_id in forgotten if sample_id <= len(samples)}
    with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as there:
        kept, reference = (MemoryDirectory(PillowRasterizer()) for _ in range(2))
        for folder, directory in ((here, kept), (there, reference)):
            teach_old(Path(folder), samples, forgotten, directory)
        before = open_workspaces(Path(there), NEW, directory=reference)
        wait_until_embedded(before)
        with open_gated(Path(here), kept) as (during, embedder):
            for kind, first, second in operations:
                if kind == "batch":
                    embedder.let_one_through(during)
                else:
                    for workspaces in (during, before):
                        OPERATIONS[kind](workspaces.get(), first, second)
                assert during.get().knowledge.revision == before.get().knowledge.revision
                assert during.info().labels_known == before.info().labels_known
            embedder.open()
            wait_until_embedded(during)
            assert_same_posteriors(posteriors(during.get()), posteriors(before.get()))
            assert facts(during.get()) == facts(before.get())
            with suppress(Precondition):
                assert during.get().undo().kind is before.get().undo().kind
                wait_until_embedded(during)
                assert_same_posteriors(posteriors(during.get()), posteriors(before.get()))
        again = open_workspaces(Path(here), NEW, directory=kept)
        assert_same_posteriors(posteriors(again.get()), posteriors(before.get()))
        again.close()
        before.close()


def test_a_sample_that_is_forgotten_while_its_batch_is_computed_does_not_come_back(tmp_path: Path) -> None:
    teach_old(tmp_path, [(0, 0), (1, 0), (2, 0), (3, 0)])
    with open_gated(tmp_path) as (workspaces, embedder):
        workspace = workspaces.get()
        workspace.forget(2)
        workspace.relabel(3, "L9")
        embedder.open()
        wait_until_embedded(workspaces)
        found = posteriors(workspace)
        assert set(found) == {"L0", "L3", "L9", "(unknown)"} and workspace.knowledge.samples_total == 3
        workspace.undo()
        workspace.undo()
        assert_same_posteriors(posteriors(workspace), posteriors_with_new_weights([(0, 0), (1, 0), (2, 0), (3, 0)]))


def test_a_forgotten_sample_is_embedded_as_well(tmp_path: Path) -> None:
    teach_old(tmp_path, [(0, 0), (1, 0)], forgotten={2})
    with open_gated(tmp_path) as (workspaces, embedder):
        workspaces.get().undo()
        assert to_embed(workspaces) == 2
        embedder.open()
        wait_until_embedded(workspaces)
        assert_same_posteriors(posteriors(workspaces.get()), posteriors_with_new_weights([(0, 0), (1, 0)]))


def test_re_embedding_makes_no_visible_change(tmp_path: Path) -> None:
    teach_old(tmp_path, MANY)
    with open_gated(tmp_path) as (workspaces, embedder):
        embedder.open()
        wait_until_embedded(workspaces)
        assert workspaces.info().revision == len(MANY)
        undone = workspaces.get().undo()
        assert (undone.kind, undone.sample_id) == (ChangeKind.TEACH, len(MANY))
        assert_same_posteriors(posteriors(workspaces.get()), posteriors_with_new_weights(MANY[:-1]))


def test_closing_keeps_what_is_done_and_the_next_start_goes_on(tmp_path: Path) -> None:
    teach_old(tmp_path, MANY)
    with open_gated(tmp_path) as (workspaces, embedder):
        embedder.let_one_through(workspaces)
        left = to_embed(workspaces)
        assert 0 < left < len(MANY)
    with open_gated(tmp_path) as (workspaces, embedder):
        assert 0 < to_embed(workspaces) < left, "the batch in progress was finished, another one was not begun"
        embedder.open()
        wait_until_embedded(workspaces)
        assert_same_posteriors(posteriors(workspaces.get()), posteriors_with_new_weights(MANY))


def test_closing_is_prompt(tmp_path: Path) -> None:
    teach_old(tmp_path, MANY * 8)
    workspaces = open_workspaces(tmp_path, NEW)
    began = time.monotonic()
    workspaces.close()
    assert time.monotonic() - began < 2
    with closing(open_workspaces(tmp_path, NEW)) as again:
        wait_until_embedded(again)
        assert_same_posteriors(posteriors(again.get()), posteriors_with_new_weights(MANY * 8))


def test_a_batch_of_the_former_log_is_not_written_into_the_restored_one(tmp_path: Path) -> None:
    """Both logs hold samples 1 to 4, of different drawings, embedded by the same old weights."""
    teach_old(tmp_path, [(0, 0), (1, 0), (2, 0), (3, 0)])
    workspaces = open_workspaces(tmp_path, OLD)
    kept, _ = workspaces.reset("", "default")
    assert kept is not None
    workspaces.close()
    teach_old(tmp_path, [(3, 7), (2, 7), (1, 7), (0, 7)])
    with open_gated(tmp_path) as (opened, embedder):
        info, _ = opened.restore("", kept.snapshot_id)
        assert info.samples_to_embed == 4
        embedder.let_one_through(opened)  # of the former log
        assert to_embed(opened) == 4
        embedder.open()
        wait_until_embedded(opened)
        assert_same_posteriors(posteriors(opened.get()), posteriors_with_new_weights([(0, 0), (1, 0), (2, 0), (3, 0)]))


@pytest.mark.parametrize("what", ["reset", "delete"])
def test_a_workspace_may_go_away_meanwhile(tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture) -> None:
    workspaces = open_workspaces(tmp_path, OLD)
    workspaces.create("other")
    for name in ("", "other"):
        workspaces.get(name).train_batch([lesson(*sample) for sample in MANY])
    workspaces.close()
    with open_gated(tmp_path) as (opened, embedder):
        if what == "delete":
            kept = opened.delete("other", "other")
        else:
            kept, _ = opened.reset("other", "other")
            assert to_embed(opened, "other") == 0
        assert kept is not None
        embedder.open()
        wait_until_embedded(opened)
        assert_same_posteriors(posteriors(opened.get()), posteriors_with_new_weights(MANY))
        opened.restore("other", kept.snapshot_id)
        wait_until_embedded(opened, "other")
        assert_same_posteriors(posteriors(opened.get("other")), posteriors_with_new_weights(MANY))
    assert not caplog.records, "nothing of this is a fault"


def _damage(folder: Path, sample_id: int, glyph: bytes) -> None:
    (log,) = folder.glob("workspaces/*/log.sqlite3")
    with closing(sqlite3.connect(log)) as connection, connection:
        connection.execute("UPDATE samples SET glyph = ? WHERE sample_id = ?", (glyph, sample_id))


@pytest.mark.parametrize("glyph", [b"", b"no drawing"])
def test_a_damaged_drawing_is_left_out(tmp_path: Path, glyph: bytes, caplog: pytest.LogCaptureFixture) -> None:
    teach_old(tmp_path, [(0, 0), (1, 0), (2, 0), (2, 1)])
    _damage(tmp_path, 2, glyph)
    with open_gated(tmp_path) as (workspaces, embedder):
        embedder.open()
        wait_until_embedded(workspaces)
        workspace, info = workspaces.get(), workspaces.info()
        without = posteriors_with_new_weights([(0, 0), (2, 0), (2, 1)])
        assert_same_posteriors(posteriors(workspace), without)
        assert (info.samples_total, info.labels_known) == (4, 3), "it was taught all the same"
        for change in (lambda: workspace.relabel(2, "L2"), lambda: workspace.forget(2), workspace.undo):
            change()
            assert to_embed(workspaces) == 0
            assert_same_posteriors(posteriors(workspace), without)
        with pytest.raises(DataLoss, match="forget the sample"):
            workspace.sample(2)
        pictures = {s.sample_id: bool(s.picture) for s in workspace.samples(with_pictures=True).samples}
        assert pictures == {1: True, 2: False, 3: True, 4: True}
        workspace.forget(2)
        assert (workspaces.info().samples_total, workspaces.info().labels_known) == (3, 2)
    logged = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(logged) == 1 and "sample 2" in logged[0] and "forget" in logged[0]


@dataclass(frozen=True)
class FaultyEmbedder(GatedEmbedder):
    """Fails each time that it is let through, `faults` times in all."""

    faults: list[str] = field(default_factory=list)

    def embed(self, rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors = super().embed(rasters)
        if in_background() and self.faults:
            raise RuntimeError(self.faults.pop())
        return vectors


@pytest.mark.parametrize(("faults", "left"), [(2, 0), (3, 4)])
def test_a_failure_is_retried_but_not_forever(
    tmp_path: Path, faults: int, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    teach_old(tmp_path, [(0, 0), (1, 0), (2, 0), (3, 0)])
    embedder = FaultyEmbedder(faults=["out of memory"] * faults)
    rasterizer = PillowRasterizer()
    reader, directory = GlyphEncoder(rasterizer, embedder), DataDirectory(tmp_path, rasterizer)
    reembedder = Reembedder(reader, retry_s=0.01)
    tools = make_dependencies(directory, reader, tmp_path)
    automatic = AutomaticSnapshots(SnapshotKeeper(directory), lambda _name: nullcontext(workspace))
    loader = tools.make_loader()
    log = directory.open("default", loader)
    workspace = Workspace(log, tools, reembedder, BackgroundAdaptation(), automatic, loader)
    reembedder.start()
    embedder.open()
    wait_until(lambda: len([record for record in caplog.records if record.exc_info]) == faults)
    wait_until(lambda: workspace.stats().samples_to_embed == left)
    reembedder.close()
    assert workspace.stats().samples_to_embed == left
    assert workspace.train(lesson(0, 1)).samples_total == 5, "whatever happens there, users go on"
    assert len([record for record in caplog.records if record.exc_info]) == faults
    workspace.close()
    directory.close()
