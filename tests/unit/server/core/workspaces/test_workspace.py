"""What a workspace knows is a function of its log: whatever way led to the same samples, the predictions are the
same.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import log
from pathlib import Path

import pytest
from haleganada_server.core.errors import (
    AlreadyExists,
    DataLoss,
    HaleganadaError,
    InvalidInput,
    NotFound,
    Precondition,
    RevisionMismatch,
)
from haleganada_server.core.fewshot.confidence import Decision
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.sample_log.rows import ChangeKind
from haleganada_server.core.workspaces.types import Lesson
from haleganada_server.core.workspaces.workspace import Workspace
from haleganada_server.vision import PillowRasterizer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.memory_store import MemoryDirectory
from tests.unit.server.core.workspaces.small_world import (
    assert_same_posteriors,
    drawing,
    lesson,
    open_workspaces,
    posteriors,
)

taught = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20)), min_size=1, max_size=12, unique=True)
# Each example teaches a whole workspace, so there are a third of those that other properties get.
few = settings(max_examples=settings().max_examples // 3, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def fresh() -> Iterator[Workspace]:
    with tempfile.TemporaryDirectory() as folder:
        workspaces = open_workspaces(Path(folder), directory=MemoryDirectory(PillowRasterizer()))
        yield workspaces.get()
        workspaces.close()


def teach(workspace: Workspace, samples: list[tuple[int, int]]) -> list[int]:
    return [workspace.train(lesson(*sample)).sample_id for sample in samples]


def posteriors_of(samples: list[tuple[int, int]]) -> dict[str, list[float]]:
    with fresh() as workspace:
        teach(workspace, samples)
        return posteriors(workspace)


@few
@given(taught, st.randoms())
def test_any_order(samples: list[tuple[int, int]], random: object) -> None:
    shuffled = list(samples)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_same_posteriors(posteriors_of(samples), posteriors_of(shuffled))


@few
@given(taught, st.integers(1, 5))
def test_any_split_into_batches(samples: list[tuple[int, int]], size: int) -> None:
    with fresh() as workspace:
        for start in range(0, len(samples), size):
            workspace.train_batch([lesson(*sample) for sample in samples[start : start + size]])
        assert_same_posteriors(posteriors(workspace), posteriors_of(samples))


@few
@given(taught, st.data())
def test_forgetting_equals_never_taught(samples: list[tuple[int, int]], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.sampled_from(range(len(samples)))))
    with fresh() as workspace:
        ids = teach(workspace, samples)
        for i in gone:
            workspace.forget(ids[i])
        kept = [sample for i, sample in enumerate(samples) if i not in gone]
        assert_same_posteriors(posteriors(workspace), posteriors_of(kept))


@few
@given(taught, st.data())
def test_changes_that_are_reverted_leave_no_trace(samples: list[tuple[int, int]], data: st.DataObject) -> None:
    """Relabeling and back, linking and unlinking, and undoing every change restore the earlier state."""
    with fresh() as workspace:
        ids = teach(workspace, samples)
        before = posteriors(workspace)
        chosen = data.draw(st.sampled_from(ids))
        label = workspace.sample(chosen).label
        workspace.relabel(chosen, "elsewhere")
        workspace.relabel(chosen, label)
        workspace.link(label, "canonical")
        workspace.unlink(label)
        assert_same_posteriors(posteriors(workspace), before)
        steps: list[Callable[[], object]] = [
            lambda: workspace.train(lesson(3, 77, "new", variant_of="other")),
            lambda: workspace.forget(chosen),
            lambda: workspace.link(label, "canonical"),
        ]
        for step in data.draw(st.permutations(steps)):
            step()
        for _ in steps:
            workspace.undo()
        assert_same_posteriors(posteriors(workspace), before)
        assert workspace.knowledge.variants.forms(label) == (label,)


def test_undo_walks_back_to_the_beginning(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspace = workspaces.get()
    states = [posteriors(workspace)]
    for step in range(5):
        workspace.train(lesson(step))
        states.append(posteriors(workspace))
    for expected in reversed(states[:-1]):
        undone = workspace.undo()
        assert undone.kind is ChangeKind.TEACH
        assert_same_posteriors(posteriors(workspace), expected)
    with pytest.raises(Precondition, match="nothing to undo"):
        workspace.undo()
    workspaces.close()


def test_restart_keeps_everything(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspace = workspaces.get()
    teach(workspace, [(character, hand) for character in range(6) for hand in range(3)])
    workspace.forget(4)
    workspace.link("L1", "L2")
    before, revision = posteriors(workspace), workspace.knowledge.revision
    workspaces.close()
    reopened = open_workspaces(tmp_path)
    assert reopened.get().knowledge.revision == revision
    assert reopened.get().knowledge.variants.forms("L2") == ("L2", "L1")
    assert_same_posteriors(posteriors(reopened.get()), before)
    assert reopened.get().undo().kind is ChangeKind.LINK
    reopened.close()


def test_forty_letters_one_after_another_lose_nothing(tmp_path: Path) -> None:
    """The first ten of forty are recognized at the end as well as if they had been taught last."""
    workspaces = open_workspaces(tmp_path)
    letters = [(character, hand) for character in range(40) for hand in range(3)]
    workspaces.create("reversed")
    teach(workspaces.get(), letters)
    teach(workspaces.get("reversed"), letters[::-1])
    assert_same_posteriors(posteriors(workspaces.get(), 10), posteriors(workspaces.get("reversed"), 10))
    right = sum(
        workspaces.get().predict(drawing(character, 50)).candidates[0].label == f"L{character}"
        for character in range(10)
    )
    assert right >= 9
    workspaces.close()


def test_loss_is_what_the_model_gave_before_it_learned(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspace = workspaces.get()
    assert workspace.train(lesson(0)).loss == 0.0  # nothing taught: certainly unknown
    workspace.train(lesson(1))
    expected = workspace.predict(drawing(0, 5), top_k=50, min_revision=2)  # in the basis of all samples
    probability = next(c.probability for c in expected.candidates if c.label == "L0")
    assert workspace.train(lesson(0, 5)).loss == pytest.approx(-log(probability), abs=1e-9)
    workspaces.close()


def test_same_request_id_gives_the_first_answer(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspace = workspaces.get()
    first = workspace.train(lesson(0, request_id="r"))
    again = workspace.train(lesson(0, request_id="r"))
    assert again.duplicate and not first.duplicate
    assert (again.sample_id, again.loss, again.revision) == (first.sample_id, first.loss, first.revision)
    with pytest.raises(AlreadyExists):
        workspace.train(lesson(1, request_id="r"))
    workspaces.close()
    reopened = open_workspaces(tmp_path)  # the answer is in the log
    assert reopened.get().train(lesson(0, request_id="r")).duplicate
    assert reopened.get().knowledge.samples_total == 1
    reopened.close()


def test_every_change_can_be_repeated_by_its_request_id(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspace = workspaces.get()
    workspace.train(lesson(0))
    prediction = workspace.predict(drawing(0, 1)).prediction_id
    for _ in range(2):
        corrected = workspace.correct(prediction, "x", request_id="correct")
        relabeled = workspace.relabel(1, "y", request_id="relabel")
        linked = workspace.link("y", "z", request_id="link")
        parted = workspace.unlink("y", request_id="unlink")
        forgotten = workspace.forget(1, request_id="forget")
        undone = workspace.undo(request_id="undo")
    assert corrected.taught.duplicate and corrected.predicted == "L0"
    assert all(answer.duplicate for answer in (relabeled, linked, parted, forgotten, undone))
    assert relabeled.sample is not None and relabeled.sample.label == "y"
    assert workspace.knowledge.samples_total == 2
    workspaces.close()


def test_a_bad_item_does_not_lose_the_good_ones(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspace = workspaces.get()
    batch: list[Lesson | HaleganadaError] = [
        lesson(0),
        Lesson(Glyph(image=b"no image"), "x"),
        Lesson(drawing(1, 0), "line\nbreak"),
        lesson(2),
        lesson(3, label="a", variant_of="a"),
    ]
    outcomes = workspace.train_batch(batch)
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Taught",
        "InvalidInput",
        "InvalidInput",
        "Taught",
        "Precondition",
    ]
    assert workspace.knowledge.samples_total == 2
    workspaces.close()


def test_refusals(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspace = workspaces.get()
    workspace.train(lesson(0))
    with pytest.raises(RevisionMismatch):
        workspace.undo(expected_revision=7)
    with pytest.raises(NotFound):
        workspace.forget(99)
    with pytest.raises(NotFound):
        workspace.correct("no such prediction", "x")
    with pytest.raises(InvalidInput):
        workspace.relabel(1, "")
    assert workspace.relabel(1, "L0").revision == 1  # it is L0 already
    with pytest.raises(Precondition):
        workspace.predict(drawing(0, 0), min_revision=2)
    with pytest.raises(Precondition):
        workspace.unlink("L0")
    assert workspace.knowledge.revision == 1
    workspaces.close()


def test_forms_share_their_canonical_label(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspace = workspaces.get()
    workspace.train(lesson(0, label="ಕ"))
    taught_form = workspace.train(lesson(1, label="ಕಿ", variant_of="ಕ"))
    assert taught_form.trained_as == "ಕ"
    answer = workspace.predict(drawing(1, 0))
    assert answer.candidates[0].label == "ಕಿ" and answer.candidates[0].canonical == "ಕ"
    assert answer.candidates[0].forms == ("ಕ", "ಕಿ")
    together = sum(candidate.probability for candidate in answer.candidates)
    assert answer.candidates[0].canonical_probability == pytest.approx(together)
    with pytest.raises(Precondition):
        workspace.link("ಕ", "ಕಿ")
    workspaces.close()


def test_nothing_taught(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    answer = workspaces.get().predict(drawing(0, 0))
    assert answer.decision is Decision.NOTHING_TAUGHT and not answer.candidates
    workspaces.close()


def test_suspects_are_the_planted_ones(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspace = workspaces.get()
    ids = teach(workspace, [(character, hand) for character in range(8) for hand in range(6)])
    for planted in (ids[3], ids[20]):
        workspace.relabel(planted, "L7")
    found = {suspect.sample_id for suspect in workspace.stats(find_suspects=True).suspects}
    assert found == {ids[3], ids[20]}
    workspaces.close()


def test_the_same_drawing_twice_is_found_whatever_its_labels(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspace = workspaces.get()
    ids = teach(workspace, [(character, hand) for character in range(20) for hand in range(8)])
    again, other = (workspace.train(Lesson(drawing(7, 3), label)).sample_id for label in ("L7", "Z"))
    pairs = workspace.stats(find_suspects=True).near_duplicates
    first = ids[7 * 8 + 3]
    assert [(p.sample_id, p.other_sample_id, p.label) for p in pairs if p.similarity > 0.9999] == [
        (again, first, "L7"),
        (other, first, "Z"),
    ]
    assert all(p.sample_id > p.other_sample_id for p in pairs)
    assert workspace.stats().near_duplicates == ()
    workspaces.close()


def test_reset_and_restore(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    teach(workspaces.get(), [(0, 0), (1, 0)])
    before = posteriors(workspaces.get())
    with pytest.raises(Precondition):
        workspaces.reset("", "wrong")
    kept, revision = workspaces.reset("", "default")
    assert kept is not None and revision > kept.revision and workspaces.get().knowledge.samples_total == 0
    info, replaced = workspaces.restore("", kept.snapshot_id)
    assert info.revision > revision and replaced is not None and info.samples_total == 2
    assert_same_posteriors(posteriors(workspaces.get()), before)
    workspaces.close()


def test_a_restore_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    teach(workspaces.get(), [(0, 0)])
    kept = workspaces.get().save("to be damaged")
    teach(workspaces.get(), [(1, 0)])
    before = posteriors(workspaces.get())
    damaged = next(tmp_path.glob(f"workspaces/*/snapshots/{kept.snapshot_id}.sqlite3"))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(DataLoss):
        workspaces.restore("", kept.snapshot_id)
    assert_same_posteriors(posteriors(workspaces.get()), before)
    teach(workspaces.get(), [(2, 0)])
    assert workspaces.get().knowledge.samples_total == 3
    assert not [snapshot for snapshot in workspaces.snapshots() if snapshot.trash]
    workspaces.close()


def test_a_deleted_workspace_can_come_back(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspaces.create("../ಕ")
    teach(workspaces.get("../ಕ"), [(0, 0)])
    kept = workspaces.delete("../ಕ", "../ಕ")
    assert kept is not None
    with pytest.raises(NotFound):
        workspaces.get("../ಕ")
    info, _ = workspaces.restore("../ಕ", kept.snapshot_id)
    assert info.samples_total == 1
    workspaces.close()
