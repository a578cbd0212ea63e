"""What is learned, and that what is known of other letters stays."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.online.features import FeatureFile
from haleganada_server.training.online.growth import grow
from haleganada_server.training.online.learner_state import LearnerState
from haleganada_server.training.online.networks import tensors_sha256
from haleganada_server.training.online.replay import Pool
from haleganada_server.training.online.start import Start, seeded, start_preset
from torch import nn

from tests.unit.server.training.online.toy_script import LETTERS, drawing, equal, finish, lessons, recall, taught


def test_frozen_means_frozen(transformer: Start, tmp_path: Path) -> None:
    raster = drawing("ಕ", 50)
    before = tensors_sha256(transformer.learnable.frozen()), transformer.learnable.features(raster)
    learner = taught(transformer, OnlineConfig(replay=2), tmp_path, lessons("ಅಕ", shots=1))
    learnable = learner.current.learnable
    assert tensors_sha256(learnable.frozen()) == before[0]
    assert torch.equal(learnable.features(raster), before[1])
    assert len(learnable.frozen()) > 100
    trained = {name.removeprefix("network.") for name in learner.current.tensors() if name.startswith("network.")}
    assert trained.isdisjoint(learnable.frozen())
    initial = transformer.learnable.network.state_dict()
    present = learnable.network.state_dict()
    assert all(not torch.equal(initial[name], present[name]) for name in trained if not name.startswith("decoder"))


@pytest.mark.parametrize("preset", ["cnn", "transformer"])
def test_without_replay_each_step_is_the_plain_recipe(
    preset: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """AdamW at 1e-3 with weight decay 0.01, five steps on the new drawing alone, one class more when there is one."""
    start: Start = request.getfixturevalue(preset)
    state = LearnerState(start, OnlineConfig(replay=0), FeatureFile(tmp_path, start.learnable))
    plain = start.learnable.copy()
    trained = [p for p in plain.network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.01)
    for number, sample in enumerate(lessons("ಅಕ")):
        features, losses = plain.features(sample.raster)[None].float(), []
        with seeded(0, number):
            grow(plain.network, optimiser, number + 1)
            plain.learning()
            for _ in range(5):
                loss = nn.functional.cross_entropy(plain.logits(features), torch.tensor([number]))
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                losses.append(loss.item())
        assert list(state.learn(sample)) == losses
        assert equal(dict(plain.network.state_dict()), dict(state.learnable.network.state_dict()))


def test_a_toy_script_is_learned_and_what_was_taught_first_is_kept(cnn: Start, tmp_path: Path) -> None:
    """When the vocabulary doubles no letter loses more than 3 of 10 drawings. Without replay they are lost."""
    first, script = LETTERS[:4], lessons(LETTERS, shots=3)
    learner = taught(cnn, OnlineConfig(replay=16), tmp_path, script[:12])
    before = recall(learner, LETTERS)
    learner.aim(script, 24)
    finish(learner)
    after = recall(learner, LETTERS)
    assert np.mean(list(before.values())) <= 0.5 < 0.85 <= np.mean(list(after.values()))
    assert all(after[letter] >= before[letter] - 0.3 for letter in first)
    forgetful = recall(taught(cnn, OnlineConfig(replay=0), tmp_path, script), LETTERS)
    assert sum(forgetful[letter] for letter in first) < sum(after[letter] for letter in first) - 1


def test_the_last_taught_letter_is_known_without_replay_too(cnn: Start, tmp_path: Path) -> None:
    learner = taught(cnn, OnlineConfig(replay=0), tmp_path, lessons("ಅಕ", shots=2))
    assert recall(learner, "ಕ")["ಕ"] >= 0.9


def test_a_trained_network_changes_little_below_its_last_layer(cnn: Start, tmp_path: Path) -> None:
    def moved(start: Start) -> tuple[float, float]:
        """The largest change of a number in the first and in the last layer, by one drawing of a known label."""
        state = LearnerState(start, OnlineConfig(replay=0), FeatureFile(tmp_path, start.learnable))
        for label in "ಅಕ":
            state._number(label)
        before = state.tensors()
        state.learn(lessons("ಅ")[0])
        after = state.tensors()
        names = ("network.layers.0.0.weight", "network.decoder.bias")
        first, last = (float((after[name] - before[name]).abs().max()) for name in names)
        return first, last

    fresh = moved(cnn)
    trained = moved(Start(cnn.learnable, ("ಅ", "ಕ")))
    assert trained[0] < 0.3 * fresh[0] and trained[1] > 0.5 * fresh[1]


def test_growth_keeps_rows_and_what_the_optimiser_knows_of_them(cnn: Start, tmp_path: Path) -> None:
    state = LearnerState(cnn, OnlineConfig(), FeatureFile(tmp_path, cnn.learnable))
    for sample in lessons("ಅಕಗ"):
        state.learn(sample)
    assert "".join(state.labels) == "ಅಕಗ"
    before = state.tensors()
    state._number("ಜ")
    after = state.tensors()
    assert "".join(state.labels) == "ಅಕಗಜ"
    for name, value in before.items():
        assert torch.equal(after[name][: len(value)] if value.ndim else after[name], value), name
    grown = {name for name in before if after[name].shape != before[name].shape}
    assert len(grown) == 6  # weight and bias, with two moments each
    assert all(not after[name][3:].any() for name in grown if name.startswith("optimiser"))
    assert after["network.decoder.weight"][3:].any()


def test_a_new_row_is_trained_like_any_other(cnn: Start, tmp_path: Path) -> None:
    state = LearnerState(cnn, OnlineConfig(replay=0), FeatureFile(tmp_path, cnn.learnable))
    state.learn(lessons("ಅ")[0])
    state._number("ಕ")
    fresh = state.tensors()["network.decoder.weight"][1].clone()
    state.learn(lessons("ಅಕ")[1])
    assert not torch.equal(state.tensors()["network.decoder.weight"][1], fresh)


def test_there_are_no_classes_that_nobody_taught(cnn: Start, tmp_path: Path) -> None:
    nothing = taught(cnn, OnlineConfig(), tmp_path, []).published
    assert nothing.labels == ()
    assert nothing.probabilities(drawing("ಅ", 0)[None]).shape == (1, 0)
    two = taught(cnn, OnlineConfig(), tmp_path, lessons("ಅಕ")).published
    assert two.probabilities(drawing("ಅ", 0)[None]).shape == (1, 2)
    assert two.probabilities(drawing("ಅ", 0)[None]).sum() == pytest.approx(1)


def test_replay_is_balanced_and_seeded() -> None:
    pool = Pool()
    for row in range(60):
        pool.add(row, target=0 if row < 50 else 1 + row % 3)  # fifty of one class, ten of three others
    rows, targets = pool.draw(9, np.random.default_rng(1))
    assert (rows, targets) == pool.draw(9, np.random.default_rng(1))
    assert (rows, targets) != pool.draw(9, np.random.default_rng(2))
    counts = Counter(targets)
    assert set(counts) == {0, 1, 2, 3}
    assert max(counts.values()) - min(counts.values()) == 1
    assert all((row < 50) == (target == 0) for row, target in zip(rows, targets, strict=True))
    assert len(set(pool.draw(3, np.random.default_rng(3))[1])) == 3


def test_replay_takes_what_there_is() -> None:
    pool = Pool()
    assert pool.draw(8, np.random.default_rng(0)) == ([], [])
    pool.add(5, 0)
    assert pool.draw(8, np.random.default_rng(0)) == ([5], [0])
    assert pool.draw(0, np.random.default_rng(0)) == ([], [])


def test_the_same_start_for_the_same_seed(cnn: Start) -> None:
    assert start_preset("cnn36", seed=7).sha256() == cnn.sha256()
    assert start_preset("cnn36", seed=8).sha256() != cnn.sha256()


def test_random_numbers_outside_go_on_as_if_nothing_was_learned(cnn: Start, tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    taught(cnn, OnlineConfig(), tmp_path, lessons("ಅ"))
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.parametrize("preset", ["resnet18", "tiny-cnn"])
def test_other_presets_are_refused(preset: str) -> None:
    with pytest.raises(InvalidInput, match=r"does not learn online; those that do are cnn36, resnet50-transformer"):
        start_preset(preset, seed=0)


@pytest.mark.parametrize(
    ("name", "value"), [("replay", -1), ("replay", 2000), ("steps", 0), ("learning_rate", 0), ("weight_decay", 2)]
)
def test_settings_out_of_range_are_refused(name: str, value: float, cnn: Start, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=f"^{name}: "):
        taught(cnn, OnlineConfig(**{name: value}), tmp_path, [])  # type: ignore[arg-type]


def test_features_are_kept_and_found_again(transformer: Start, tmp_path: Path) -> None:
    raster = drawing("ಅ", 1)
    with FeatureFile(tmp_path, transformer.learnable) as features:
        assert (features.row(raster), features.row(drawing("ಕ", 1)), features.row(raster)) == (0, 1, 0)
        expected = features.read([0])
    assert torch.equal(expected[0], transformer.learnable.features(raster).float())
    data = next(tmp_path.glob("*.f16"))
    with data.open("ab") as file:
        file.write(b"half a row, by a process that was killed")
    whole = hashlib.sha256(data.read_bytes()[: 2 * expected.nbytes // 2]).hexdigest()
    with FeatureFile(tmp_path, transformer.learnable) as features:
        assert features.row(raster) == 0
        assert torch.equal(features.read([0]), expected)
    assert hashlib.sha256(data.read_bytes()).hexdigest() == whole
