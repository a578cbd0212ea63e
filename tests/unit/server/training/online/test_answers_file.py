"""What is published answers at the next start without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.core.online.saved_answers import ANSWERS, hash_samples
from haleganada_server.runtime.saved_answers import load_saved_answers
from haleganada_server.training.online.answers_file import AnswersFile
from haleganada_server.training.online.checkpoints import Checkpoints
from haleganada_server.training.online.initial_model import InitialModel
from haleganada_server.training.online.learner import OnlineLearner
from haleganada_server.vision import model_input

from tests.unit.server.training.online.toy_script import draw_letter, learn_all, make_samples, open_features

CONFIG = OnlineConfig(replay=4)


@pytest.mark.parametrize("preset", ["cnn", "transformer"])
def test_a_saved_network_gives_the_published_answers(
    preset: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    initial: InitialModel = request.getfixturevalue(preset)
    features = open_features(tmp_path, initial.network)
    learner = OnlineLearner(initial, CONFIG, features, Checkpoints(tmp_path), AnswersFile(tmp_path))
    script = make_samples("ಅಕ")
    learner.set_target(script, 7)
    learn_all(learner)
    learner.save()
    saved = load_saved_answers(tmp_path, model_input)
    assert saved is not None
    card, classify = saved
    assert (card.labels, card.revision, card.learned) == (("ಅ", "ಕ"), 7, len(script))
    assert card.samples_sha256 == hash_samples(script) != hash_samples(script[1:])
    questions = np.stack([draw_letter(letter, 77) for letter in "ಅಕ"])
    np.testing.assert_allclose(classify(questions), learner.published.probabilities(questions), atol=5e-3)


def test_damaged_files_are_not_used(cnn: InitialModel, tmp_path: Path) -> None:
    assert load_saved_answers(tmp_path, model_input) is None
    learner = OnlineLearner(
        cnn, CONFIG, open_features(tmp_path, cnn.network), Checkpoints(tmp_path), AnswersFile(tmp_path)
    )
    learner.set_target(make_samples("ಅಕ"), 7)
    learn_all(learner)
    learner.save()
    (network,) = tmp_path.glob("answers-*.onnx")
    whole = network.read_bytes()
    network.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert load_saved_answers(tmp_path, model_input) is None
    network.write_bytes(whole)
    assert load_saved_answers(tmp_path, model_input) is not None
    (tmp_path / ANSWERS).write_text("{}")
    assert load_saved_answers(tmp_path, model_input) is None
