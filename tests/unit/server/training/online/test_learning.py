"""What is learned, and that nothing else is forgotten."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.online.decoder import expand_decoder
from haleganada_server.training.online.feature_cache import FeatureCache
from haleganada_server.training.online.initial_model import InitialModel, build_initial_model, fix_seed
from haleganada_server.training.online.learner_state import LearnerState
from haleganada_server.training.online.networks import hash_tensors
from haleganada_server.training.online.replay import ReplayBuffer
from torch import nn

from tests.unit.server.training.online.toy_script import (
    LETTERS,
    are_equal_tensors,
    draw_letter,
    learn_all,
    make_samples,
    measure_recall,
    open_features,
    teach,
)


def test_frozen_means_frozen(transformer: InitialModel, tmp_path: Path) -> None:
    raster = draw_letter("ಕ", 50)
    before = hash_tensors(transformer.network.frozen_state()), transformer.network.compute_features(raster)
    learner = teach(transformer, OnlineConfig(replay=2), tmp_path, make_samples("ಅಕ", shots=1))
    network = learner.current.network
    assert hash_tensors(network.frozen_state()) == before[0]
    assert torch.equal(network.compute_features(raster), before[1])
    assert len(network.frozen_state()) > 100
    trained = {
        name.removeprefix("network.") for name in learner.current.collect_tensors() if name.startswith("network.")
    }
    assert trained.isdisjoint(network.frozen_state())
    initial = transformer.network.module.state_dict()
    current = network.module.state_dict()
    assert all(not torch.equal(initial[name], current[name]) for name in trained if not name.startswith("decoder"))


@pytest.mark.parametrize("preset", ["cnn", "transformer"])
def test_without_replay_each_step_is_the_plain_recipe(
    preset: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """AdamW at 1e-3 with weight decay 0.01, five steps on the new drawing alone, a new row for a new class."""
    initial: InitialModel = request.getfixturevalue(preset)
    state = LearnerState(initial, OnlineConfig(replay=0), open_features(tmp_path, initial.network))
    plain = initial.network.copy()
    trained = [p for p in plain.module.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.01)
    for number, sample in enumerate(make_samples("ಅಕ")):
        features, losses = plain.compute_features(sample.raster)[None].float(), []
        with fix_seed(0, number):
            expand_decoder(plain.module, optimizer, number + 1)
            plain.train()
            for _ in range(5):
                loss = nn.functional.cross_entropy(plain.compute_logits(features), torch.tensor([number]))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        assert list(state.learn(sample)) == losses
        assert are_equal_tensors(dict(plain.module.state_dict()), dict(state.network.module.state_dict()))


def test_a_toy_script_is_learned_and_what_was_taught_first_is_kept(cnn: InitialModel, tmp_path: Path) -> None:
    """When the vocabulary doubles no letter loses more than 3 of 10 drawings. Without replay they are lost."""
    first, script = LETTERS[:4], make_samples(LETTERS, shots=3)
    learner = teach(cnn, OnlineConfig(replay=16), tmp_path, script[:12])
    before = measure_recall(learner, LETTERS)
    learner.set_target(script, 24)
    learn_all(learner)
    after = measure_recall(learner, LETTERS)
    assert np.mean(list(before.values())) <= 0.5 < 0.85 <= np.mean(list(after.values()))
    assert all(after[letter] >= before[letter] - 0.3 for letter in first)
    forgetful = measure_recall(teach(cnn, OnlineConfig(replay=0), tmp_path, script), LETTERS)
    assert sum(forgetful[letter] for letter in first) < sum(after[letter] for letter in first) - 1


def test_the_last_taught_letter_is_known_without_replay_too(cnn: InitialModel, tmp_path: Path) -> None:
    learner = teach(cnn, OnlineConfig(replay=0), tmp_path, make_samples("ಅಕ", shots=2))
    assert measure_recall(learner, "ಕ")["ಕ"] >= 0.9


def test_a_trained_network_changes_little_below_its_last_layer(cnn: InitialModel, tmp_path: Path) -> None:
    def measure_change(initial: InitialModel) -> tuple[float, float]:
        """Return the largest change of a weight in the first and in the last layer, by one drawing of a known label."""
        state = LearnerState(initial, OnlineConfig(replay=0), open_features(tmp_path, initial.network))
        for label in "ಅಕ":
            state.ensure_class(label)
        before = state.collect_tensors()
        state.learn(make_samples("ಅ")[0])
        after = state.collect_tensors()
        names = ("network.layers.0.0.weight", "network.decoder.bias")
        first, last = (float((after[name] - before[name]).abs().max()) for name in names)
        return first, last

    fresh = measure_change(cnn)
    trained = measure_change(InitialModel(cnn.network, ("ಅ", "ಕ")))
    assert trained[0] < 0.3 * fresh[0] and trained[1] > 0.5 * fresh[1]


def test_a_larger_decoder_keeps_its_rows_and_their_moments(cnn: InitialModel, tmp_path: Path) -> None:
    state = LearnerState(cnn, OnlineConfig(), open_features(tmp_path, cnn.network))
    for sample in make_samples("ಅಕಗ"):
        state.learn(sample)
    assert "".join(state.labels) == "ಅಕಗ"
    before = state.collect_tensors()
    state.ensure_class("ಜ")
    after = state.collect_tensors()
    assert "".join(state.labels) == "ಅಕಗಜ"
    for name, value in before.items():
        assert torch.equal(after[name][: len(value)] if value.ndim else after[name], value), name
    larger = {name for name in before if after[name].shape != before[name].shape}
    assert len(larger) == 6  # weight and bias, with two moments each
    assert all(not after[name][3:].any() for name in larger if name.startswith("optimizer"))
    assert after["network.decoder.weight"][3:].any()


def test_a_new_row_is_trained_like_any_other(cnn: InitialModel, tmp_path: Path) -> None:
    state = LearnerState(cnn, OnlineConfig(replay=0), open_features(tmp_path, cnn.network))
    state.learn(make_samples("ಅ")[0])
    state.ensure_class("ಕ")
    fresh = state.collect_tensors()["network.decoder.weight"][1].clone()
    state.learn(make_samples("ಅಕ")[1])
    assert not torch.equal(state.collect_tensors()["network.decoder.weight"][1], fresh)


def test_there_are_no_classes_that_nobody_taught(cnn: InitialModel, tmp_path: Path) -> None:
    nothing = teach(cnn, OnlineConfig(), tmp_path, []).published
    assert nothing.labels == ()
    assert nothing.probabilities(draw_letter("ಅ", 0)[None]).shape == (1, 0)
    two = teach(cnn, OnlineConfig(), tmp_path, make_samples("ಅಕ")).published
    assert two.probabilities(draw_letter("ಅ", 0)[None]).shape == (1, 2)
    assert two.probabilities(draw_letter("ಅ", 0)[None]).sum() == pytest.approx(1)


def test_replay_is_balanced_and_seeded() -> None:
    buffer = ReplayBuffer()
    for row in range(60):
        buffer.add(row, target=0 if row < 50 else 1 + row % 3)  # fifty of one class, ten of three others
    rows, targets = buffer.sample(9, np.random.default_rng(1))
    assert (rows, targets) == buffer.sample(9, np.random.default_rng(1))
    assert (rows, targets) != buffer.sample(9, np.random.default_rng(2))
    counts = Counter(targets)
    assert set(counts) == {0, 1, 2, 3}
    assert max(counts.values()) - min(counts.values()) == 1
    assert all((row < 50) == (target == 0) for row, target in zip(rows, targets, strict=True))
    assert len(set(buffer.sample(3, np.random.default_rng(3))[1])) == 3


def test_replay_takes_as_many_as_there_are() -> None:
    buffer = ReplayBuffer()
    assert buffer.sample(8, np.random.default_rng(0)) == ([], [])
    buffer.add(5, 0)
    assert buffer.sample(8, np.random.default_rng(0)) == ([5], [0])
    assert buffer.sample(0, np.random.default_rng(0)) == ([], [])


def test_the_same_start_for_the_same_seed(cnn: InitialModel) -> None:
    assert build_initial_model("cnn36", seed=7).sha256() == cnn.sha256()
    assert build_initial_model("cnn36", seed=8).sha256() != cnn.sha256()


def test_learning_does_not_disturb_other_random_numbers(cnn: InitialModel, tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    teach(cnn, OnlineConfig(), tmp_path, make_samples("ಅ"))
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.parametrize("preset", ["resnet18", "tiny-cnn"])
def test_other_presets_are_refused(preset: str) -> None:
    with pytest.raises(InvalidInput, match=r"does not learn online; those that do are cnn36, resnet50-transformer"):
        build_initial_model(preset, seed=0)


@pytest.mark.parametrize(
    ("name", "value"), [("replay", -1), ("replay", 2000), ("steps", 0), ("learning_rate", 0), ("weight_decay", 2)]
)
def test_settings_out_of_range_are_refused(name: str, value: float, cnn: InitialModel, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=f"^{name}: "):
        teach(cnn, OnlineConfig(**{name: value}), tmp_path, [])  # type: ignore[arg-type]


def test_features_are_kept_and_found_again(transformer: InitialModel, tmp_path: Path) -> None:
    raster = draw_letter("ಅ", 1)
    with FeatureCache(tmp_path, transformer.network) as features:
        rows = [features.find_or_compute(drawing) for drawing in (raster, draw_letter("ಕ", 1), raster)]
        assert rows == [0, 1, 0]
        expected = features.load([0])
    assert torch.equal(expected[0], transformer.network.compute_features(raster).float())
    data = next(tmp_path.glob("*.f16"))
    with data.open("ab") as file:
        file.write(b"half a row, by a process that was killed")
    whole = hashlib.sha256(data.read_bytes()[: 2 * expected.nbytes // 2]).hexdigest()
    with FeatureCache(tmp_path, transformer.network) as features:
        assert features.find_or_compute(raster) == 0
        assert torch.equal(features.load([0]), expected)
    assert hashlib.sha256(data.read_bytes()).hexdigest() == whole
