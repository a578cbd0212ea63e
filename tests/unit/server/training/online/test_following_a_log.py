"""What is known is a function of the log: resumed, rebuilt, forgotten, undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.common.taught_drawing import TaughtDrawing
from haleganada_server.training.online.checkpoints import KEPT, Checkpoints
from haleganada_server.training.online.features import FeatureFile
from haleganada_server.training.online.learner import OnlineLearner, Rebuild
from haleganada_server.training.online.start import Start

from tests.unit.server.training.online.toy_script import drawing, finish, lessons, same, taught

CONFIG = OnlineConfig(replay=4)


def learner_in(folder: Path, start: Start) -> OnlineLearner:
    folder.mkdir(exist_ok=True)
    return OnlineLearner(start, CONFIG, FeatureFile(folder, start.learnable), Checkpoints(folder))


@pytest.mark.parametrize("preset", ["cnn", "transformer"])
def test_resumed_is_as_if_uninterrupted(preset: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Another process would read the same files: nothing is shared but the folder."""
    start: Start = request.getfixturevalue(preset)
    script = lessons("ಅಕ")
    first = learner_in(tmp_path, start)
    first.aim(script[:1], 1)
    finish(first)
    first.save()
    second = learner_in(tmp_path, start)
    assert second.aim(script, 2) == Rebuild(kept=1, samples=2)
    finish(second)
    assert same(second.current, taught(start, CONFIG, tmp_path, script).current)


def test_a_resumed_learner_answers_at_once_if_it_has_learned_all(cnn: Start, tmp_path: Path) -> None:
    script = lessons("ಅಕ")
    first = taught(cnn, CONFIG, tmp_path, script, checkpoints=True)
    first.save()
    second = learner_in(tmp_path, cnn)
    assert second.aim(script, 9) is None
    assert (second.published.revision, second.published.labels) == (9, ("ಅ", "ಕ"))
    question = drawing("ಅ", 77)[None]
    assert np.array_equal(second.published.probabilities(question), first.published.probabilities(question))


def test_forgotten_means_never_taught(cnn: Start, tmp_path: Path) -> None:
    script = lessons("ಅಕಗ", shots=2)[:5]
    learner = taught(cnn, CONFIG, tmp_path, script)
    without = [sample for sample in script if sample.sample_id != 3]
    assert learner.aim(without, 7) == Rebuild(kept=0, samples=4)
    finish(learner)
    renumbered = [replace(sample, sample_id=n, revision=n) for n, sample in enumerate(without, 1)]
    assert same(learner.current, taught(cnn, CONFIG, tmp_path, renumbered).current)


def test_a_label_that_lost_all_its_samples_is_unknown(cnn: Start, tmp_path: Path) -> None:
    script = lessons("ಅಕಗ")
    learner = taught(cnn, CONFIG, tmp_path, script)
    learner.aim([script[0], script[2]], 4)
    finish(learner)
    assert learner.published.labels == ("ಅ", "ಗ")


def test_relabeled_means_taught_so(cnn: Start, tmp_path: Path) -> None:
    script = lessons("ಅಕಗ")
    relabeled = [script[0], replace(script[1], label="ಜ"), script[2]]
    learner = taught(cnn, CONFIG, tmp_path, script)
    assert learner.aim(relabeled, 4) is not None
    finish(learner)
    assert same(learner.current, taught(cnn, CONFIG, tmp_path, relabeled).current)
    assert learner.published.labels == ("ಅ", "ಜ", "ಗ")


def test_what_comes_after_a_checkpoint_is_all_that_a_rebuild_repeats(cnn: Start, tmp_path: Path) -> None:
    script = lessons("ಅಕಗಜ")
    learner = learner_in(tmp_path, cnn)
    learner.aim(script[:3], 3)
    finish(learner)
    learner.save()
    learner.aim(script, 4)
    finish(learner)
    assert learner.aim(script[:3], 5) is None  # the last one is undone: the checkpoint is all there is to know
    assert learner.published.revision == 5
    assert same(learner.current, taught(cnn, CONFIG, tmp_path, script[:3]).current)
    assert learner.aim(script[1:], 6) == Rebuild(kept=0, samples=3)


def test_the_old_state_answers_until_a_rebuild_is_done(cnn: Start, tmp_path: Path) -> None:
    script = lessons("ಅಕಗ")
    learner = taught(cnn, CONFIG, tmp_path, script)
    before, question = learner.published, drawing("ಅ", 50)[None]
    answers = before.probabilities(question)
    learner.aim(script[1:], 4)
    events = []
    while event := learner.advance():
        events.append((event.sample_id, event.left, event.published, learner.published.revision))
    assert events == [(2, 1, False, 3), (3, 0, True, 4)]
    assert np.array_equal(before.probabilities(question), answers)
    assert before.labels == ("ಅ", "ಕ", "ಗ")


def test_each_state_on_the_way_is_one_revision(cnn: Start, tmp_path: Path) -> None:
    learner = learner_in(tmp_path, cnn)
    script = lessons("ಅಕಗ")
    learner.aim([], 0)
    seen = []
    assert learner.aim(script, 3) is None
    while learner.advance():
        seen.append((learner.published.revision, learner.published.labels))
    assert seen == [(1, ("ಅ",)), (2, ("ಅ", "ಕ")), (3, ("ಅ", "ಕ", "ಗ"))]
    learner.aim(script, 8)  # forms were linked meanwhile
    assert learner.published.revision == 8


def test_states_can_be_passed_over_but_not_the_last(cnn: Start, tmp_path: Path) -> None:
    learner = learner_in(tmp_path, cnn)
    assert not learner.follows and learner.published.revision == 0
    learner.aim([], 0)
    assert learner.follows
    learner.aim(lessons("ಅಕಗ"), 3)
    seen = []
    while event := learner.advance(publish=False):
        seen.append((event.published, learner.published.revision))
    assert seen == [(False, 0), (False, 0), (True, 3)]


def test_catching_up_is_no_rebuilding(cnn: Start, tmp_path: Path) -> None:
    learner, script = learner_in(tmp_path, cnn), lessons("ಅಕ")
    learner.aim(script, 2)
    learner.advance()
    assert not learner.follows and not learner.rebuilding
    learner.advance()
    assert learner.follows and not learner.rebuilding
    learner.aim(script[1:], 3)
    assert learner.rebuilding
    finish(learner)
    assert not learner.rebuilding


def test_a_sample_that_is_forgotten_before_it_is_learned_leaves_no_trace(cnn: Start, tmp_path: Path) -> None:
    learner = learner_in(tmp_path, cnn)
    script = lessons("ಅಕಗ")
    learner.aim([], 0)
    learner.aim(script, 3)
    learner.advance()
    assert learner.aim([script[0], script[2]], 4) is None
    finish(learner)
    assert learner.published.revision == 4
    assert same(learner.current, taught(cnn, CONFIG, tmp_path, [script[0], script[2]]).current)


def test_a_published_state_never_changes(cnn: Start, tmp_path: Path) -> None:
    learner = taught(cnn, CONFIG, tmp_path, lessons("ಅಕ"))
    published, question = learner.published, drawing("ಅ", 50)[None]
    before = published.probabilities(question)
    learner.aim(lessons("ಅಕಗಜ"), 4)
    finish(learner)
    assert np.array_equal(published.probabilities(question), before)
    assert (published.revision, published.labels) == (2, ("ಅ", "ಕ"))


def test_a_step_that_failed_leaves_nothing_half_learned(
    cnn: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = lessons("ಅಕಗ")
    learner = learner_in(tmp_path, cnn)
    learner.aim([], 0)
    learner.aim(script, 3)
    learner.advance()

    def full(self: FeatureFile, rows: list[int]) -> None:
        raise OSError("the disk went away")

    with monkeypatch.context() as broken:
        broken.setattr(FeatureFile, "read", full)
        with pytest.raises(OSError, match="disk"):
            learner.advance()
    assert learner.published.revision == 1
    assert learner.aim(script, 3) == Rebuild(kept=0, samples=3)
    finish(learner)
    assert same(learner.current, taught(cnn, CONFIG, tmp_path, script).current)


def test_a_damaged_checkpoint_is_passed_over(cnn: Start, tmp_path: Path) -> None:
    script = lessons("ಅಕಗ")
    learner = learner_in(tmp_path, cnn)
    for size in (1, 2):
        learner.aim(script[:size], size)
        finish(learner)
        learner.save()
    newest = max(tmp_path.glob("learned-*"))
    newest.write_bytes(newest.read_bytes()[:-100])
    again = learner_in(tmp_path, cnn)
    assert again.aim(script, 3) == Rebuild(kept=1, samples=3)
    finish(again)
    assert same(again.current, taught(cnn, CONFIG, tmp_path, script).current)


def test_few_checkpoints_are_kept_and_none_of_another_course(cnn: Start, tmp_path: Path) -> None:
    learner, script = learner_in(tmp_path, cnn), lessons("ಅಕಗಜ")
    for size in (1, 2, 3):
        learner.aim(script[:size], size)
        finish(learner)
        learner.save()
    assert len(list(tmp_path.glob("learned-*"))) == KEPT
    learner.aim(script[2:], 5)
    finish(learner)
    learner.save()
    assert [path.name[:17] for path in tmp_path.glob("learned-*")] == ["learned-000000002"]
    assert not list(tmp_path.glob("*.tmp"))


def test_another_configuration_takes_up_no_checkpoint(cnn: Start, tmp_path: Path) -> None:
    script: list[TaughtDrawing] = lessons("ಅಕ")
    taught(cnn, CONFIG, tmp_path, script, checkpoints=True).save()
    other = OnlineLearner(cnn, OnlineConfig(replay=5), FeatureFile(tmp_path, cnn.learnable), Checkpoints(tmp_path))
    assert other.aim(script, 2) == Rebuild(kept=0, samples=2)
