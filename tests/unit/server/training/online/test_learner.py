"""What a learner knows is a function of the log: resumed, rebuilt, forgotten, undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.common.taught_drawing import TaughtDrawing
from haleganada_server.training.online.checkpoints import KEPT, Checkpoints
from haleganada_server.training.online.feature_cache import FeatureCache
from haleganada_server.training.online.initial_model import InitialModel
from haleganada_server.training.online.learner import OnlineLearner, Rebuild

from tests.unit.server.training.online.toy_script import (
    are_equal_states,
    draw_letter,
    learn_all,
    make_samples,
    open_features,
    teach,
)

CONFIG = OnlineConfig(replay=4)


def open_learner(folder: Path, initial: InitialModel) -> OnlineLearner:
    folder.mkdir(exist_ok=True)
    return OnlineLearner(initial, CONFIG, open_features(folder, initial.network), Checkpoints(folder))


@pytest.mark.parametrize("preset", ["cnn", "transformer"])
def test_resuming_gives_the_result_of_learning_uninterrupted(
    preset: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The two share nothing but the folder, as two processes would."""
    initial: InitialModel = request.getfixturevalue(preset)
    script = make_samples("ಅಕ")
    first = open_learner(tmp_path, initial)
    first.set_target(script[:1], 1)
    learn_all(first)
    first.save()
    second = open_learner(tmp_path, initial)
    assert second.set_target(script, 2) == Rebuild(kept=1, samples=2)
    learn_all(second)
    assert are_equal_states(second.current, teach(initial, CONFIG, tmp_path, script).current)


def test_a_resumed_learner_predicts_at_once_if_it_has_learned_all(cnn: InitialModel, tmp_path: Path) -> None:
    script = make_samples("ಅಕ")
    first = teach(cnn, CONFIG, tmp_path, script, checkpoints=True)
    first.save()
    second = open_learner(tmp_path, cnn)
    assert second.set_target(script, 9) is None
    assert (second.published.revision, second.published.labels) == (9, ("ಅ", "ಕ"))
    question = draw_letter("ಅ", 77)[None]
    assert np.array_equal(second.published.probabilities(question), first.published.probabilities(question))


def test_forgotten_means_never_taught(cnn: InitialModel, tmp_path: Path) -> None:
    script = make_samples("ಅಕಗ", shots=2)[:5]
    learner = teach(cnn, CONFIG, tmp_path, script)
    without = [sample for sample in script if sample.sample_id != 3]
    assert learner.set_target(without, 7) == Rebuild(kept=0, samples=4)
    learn_all(learner)
    renumbered = [replace(sample, sample_id=n, revision=n) for n, sample in enumerate(without, 1)]
    assert are_equal_states(learner.current, teach(cnn, CONFIG, tmp_path, renumbered).current)


def test_a_label_that_lost_all_its_samples_is_unknown(cnn: InitialModel, tmp_path: Path) -> None:
    script = make_samples("ಅಕಗ")
    learner = teach(cnn, CONFIG, tmp_path, script)
    learner.set_target([script[0], script[2]], 4)
    learn_all(learner)
    assert learner.published.labels == ("ಅ", "ಗ")


def test_relabeled_means_taught_with_that_label(cnn: InitialModel, tmp_path: Path) -> None:
    script = make_samples("ಅಕಗ")
    relabeled = [script[0], replace(script[1], label="ಜ"), script[2]]
    learner = teach(cnn, CONFIG, tmp_path, script)
    assert learner.set_target(relabeled, 4) is not None
    learn_all(learner)
    assert are_equal_states(learner.current, teach(cnn, CONFIG, tmp_path, relabeled).current)
    assert learner.published.labels == ("ಅ", "ಜ", "ಗ")


def test_a_rebuild_repeats_only_what_comes_after_a_checkpoint(cnn: InitialModel, tmp_path: Path) -> None:
    script = make_samples("ಅಕಗಜ")
    learner = open_learner(tmp_path, cnn)
    learner.set_target(script[:3], 3)
    learn_all(learner)
    learner.save()
    learner.set_target(script, 4)
    learn_all(learner)
    assert learner.set_target(script[:3], 5) is None  # the last one is undone: the checkpoint has all the rest
    assert learner.published.revision == 5
    assert are_equal_states(learner.current, teach(cnn, CONFIG, tmp_path, script[:3]).current)
    assert learner.set_target(script[1:], 6) == Rebuild(kept=0, samples=3)


def test_the_earlier_model_predicts_until_a_rebuild_is_done(cnn: InitialModel, tmp_path: Path) -> None:
    script = make_samples("ಅಕಗ")
    learner = teach(cnn, CONFIG, tmp_path, script)
    before, question = learner.published, draw_letter("ಅ", 50)[None]
    answers = before.probabilities(question)
    learner.set_target(script[1:], 4)
    events = []
    while event := learner.learn_next():
        events.append((event.sample_id, event.remaining, event.published, learner.published.revision))
    assert events == [(2, 1, False, 3), (3, 0, True, 4)]
    assert np.array_equal(before.probabilities(question), answers)
    assert before.labels == ("ಅ", "ಕ", "ಗ")


def test_each_state_on_the_way_is_one_revision(cnn: InitialModel, tmp_path: Path) -> None:
    learner = open_learner(tmp_path, cnn)
    script = make_samples("ಅಕಗ")
    learner.set_target([], 0)
    seen = []
    assert learner.set_target(script, 3) is None
    while learner.learn_next():
        seen.append((learner.published.revision, learner.published.labels))
    assert seen == [(1, ("ಅ",)), (2, ("ಅ", "ಕ")), (3, ("ಅ", "ಕ", "ಗ"))]
    learner.set_target(script, 8)  # forms were linked meanwhile
    assert learner.published.revision == 8


def test_states_can_go_unpublished_but_not_the_last(cnn: InitialModel, tmp_path: Path) -> None:
    learner = open_learner(tmp_path, cnn)
    assert not learner.has_published and learner.published.revision == 0
    learner.set_target([], 0)
    assert learner.has_published
    learner.set_target(make_samples("ಅಕಗ"), 3)
    seen = []
    while event := learner.learn_next(publish=False):
        seen.append((event.published, learner.published.revision))
    assert seen == [(False, 0), (False, 0), (True, 3)]


def test_catching_up_is_not_rebuilding(cnn: InitialModel, tmp_path: Path) -> None:
    learner, script = open_learner(tmp_path, cnn), make_samples("ಅಕ")
    learner.set_target(script, 2)
    learner.learn_next()
    assert not learner.has_published and not learner.is_rebuilding
    learner.learn_next()
    assert learner.has_published and not learner.is_rebuilding
    learner.set_target(script[1:], 3)
    assert learner.is_rebuilding
    learn_all(learner)
    assert not learner.is_rebuilding


def test_a_sample_that_is_forgotten_before_it_is_learned_leaves_no_trace(cnn: InitialModel, tmp_path: Path) -> None:
    learner = open_learner(tmp_path, cnn)
    script = make_samples("ಅಕಗ")
    learner.set_target([], 0)
    learner.set_target(script, 3)
    learner.learn_next()
    assert learner.set_target([script[0], script[2]], 4) is None
    learn_all(learner)
    assert learner.published.revision == 4
    assert are_equal_states(learner.current, teach(cnn, CONFIG, tmp_path, [script[0], script[2]]).current)


def test_a_published_model_never_changes(cnn: InitialModel, tmp_path: Path) -> None:
    learner = teach(cnn, CONFIG, tmp_path, make_samples("ಅಕ"))
    published, question = learner.published, draw_letter("ಅ", 50)[None]
    before = published.probabilities(question)
    learner.set_target(make_samples("ಅಕಗಜ"), 4)
    learn_all(learner)
    assert np.array_equal(published.probabilities(question), before)
    assert (published.revision, published.labels) == (2, ("ಅ", "ಕ"))


def test_a_step_that_fails_leaves_nothing_half_learned(
    cnn: InitialModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = make_samples("ಅಕಗ")
    learner = open_learner(tmp_path, cnn)
    learner.set_target([], 0)
    learner.set_target(script, 3)
    learner.learn_next()

    def fail(self: FeatureCache, rows: list[int]) -> None:
        raise OSError("the disk went away")

    with monkeypatch.context() as broken:
        broken.setattr(FeatureCache, "load", fail)
        with pytest.raises(OSError, match="disk"):
            learner.learn_next()
    assert learner.published.revision == 1
    assert learner.set_target(script, 3) == Rebuild(kept=0, samples=3)
    learn_all(learner)
    assert are_equal_states(learner.current, teach(cnn, CONFIG, tmp_path, script).current)


def test_a_damaged_checkpoint_is_skipped(cnn: InitialModel, tmp_path: Path) -> None:
    script = make_samples("ಅಕಗ")
    learner = open_learner(tmp_path, cnn)
    for size in (1, 2):
        learner.set_target(script[:size], size)
        learn_all(learner)
        learner.save()
    newest = max(tmp_path.glob("learned-*"))
    newest.write_bytes(newest.read_bytes()[:-100])
    again = open_learner(tmp_path, cnn)
    assert again.set_target(script, 3) == Rebuild(kept=1, samples=3)
    learn_all(again)
    assert are_equal_states(again.current, teach(cnn, CONFIG, tmp_path, script).current)


def test_few_checkpoints_are_kept_and_none_of_another_log(cnn: InitialModel, tmp_path: Path) -> None:
    learner, script = open_learner(tmp_path, cnn), make_samples("ಅಕಗಜ")
    for size in (1, 2, 3):
        learner.set_target(script[:size], size)
        learn_all(learner)
        learner.save()
    assert len(list(tmp_path.glob("learned-*"))) == KEPT
    learner.set_target(script[2:], 5)
    learn_all(learner)
    learner.save()
    assert [path.name[:17] for path in tmp_path.glob("learned-*")] == ["learned-000000002"]
    assert not list(tmp_path.glob("*.tmp"))


def test_another_configuration_resumes_from_no_checkpoint(cnn: InitialModel, tmp_path: Path) -> None:
    script: list[TaughtDrawing] = make_samples("ಅಕ")
    teach(cnn, CONFIG, tmp_path, script, checkpoints=True).save()
    other = OnlineLearner(cnn, OnlineConfig(replay=5), open_features(tmp_path, cnn.network), Checkpoints(tmp_path))
    assert other.set_target(script, 2) == Rebuild(kept=0, samples=2)
