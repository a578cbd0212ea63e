"""Training is reproducible, with and without interruption."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from haleganada_server.training.common.checkpoint import State, load_state, read_tensors, save_state, write_tensors
from haleganada_server.training.pretrain import loop
from haleganada_server.training.pretrain.loop import BEST_FILE, STATE_FILE, Budget, LoopOptions, Trainer, new_state
from haleganada_server.training.pretrain.network import NetworkShape
from haleganada_server.training.pretrain.optimizer import LEARNING_RATE, learning_rate, orthogonalize
from haleganada_server.training.pretrain.synthesis.batches import BatchShape, BatchStream, inline_batches
from haleganada_server.training.pretrain.synthesis.library import Library

TINY = NetworkShape(width=4, dim=8)
SHAPE = BatchShape(families=2, family_size=4, drawings=2)


def train(library: Library, out: Path, steps: int, *, stop: int | None = None, seed: int = 0) -> State:
    """Train for `steps`; with `stop`, raise InterruptedError after that many, like a killed run."""
    out.mkdir(exist_ok=True)
    state = new_state(seed, TINY)

    def batches(first: int) -> BatchStream:
        for step, batch in enumerate(inline_batches(library, SHAPE, seed, first), first):
            if step == stop:
                raise InterruptedError
            yield batch

    options = LoopOptions(out, Budget(steps=steps), seed, evaluate_steps=3)
    Trainer(state, options, {}, lambda _: None).run(batches)
    return state


def assert_equal(a: State, b: State) -> None:
    for part in ("network", "average", "loss"):
        ours, theirs = getattr(a, part).state_dict(), getattr(b, part).state_dict()
        for name, value in ours.items():
            assert torch.equal(value, theirs[name]), name


def test_the_same_seed_gives_the_same_weights(library: Library, tmp_path: Path) -> None:
    assert_equal(train(library, tmp_path / "a", 5), train(library, tmp_path / "b", 5))


def test_a_resumed_run_equals_an_uninterrupted_one(library: Library, tmp_path: Path) -> None:
    with pytest.raises(InterruptedError):
        train(library, tmp_path / "broken", 6, stop=4)
    resumed = train(library, tmp_path / "broken", 6)
    assert_equal(resumed, train(library, tmp_path / "whole", 6))


def test_another_seed_cannot_resume(library: Library, tmp_path: Path) -> None:
    train(library, tmp_path, 2)
    with pytest.raises(ValueError, match="--fresh"):
        train(library, tmp_path, 3, seed=1)


def test_checkpoints_are_complete_and_leave_no_drafts(library: Library, tmp_path: Path) -> None:
    state = train(library, tmp_path, 2)
    assert {p.name for p in tmp_path.iterdir()} == {STATE_FILE, BEST_FILE}
    other = new_state(0, TINY)
    load_state(other, tmp_path / STATE_FILE)
    assert_equal(state, other)
    assert other.progress.step == 2
    save_state(other, tmp_path / "again")
    before, after = read_tensors(tmp_path / STATE_FILE)[0], read_tensors(tmp_path / "again")[0]
    assert before.keys() == after.keys()
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_checkpoints_with_the_old_spelling_of_optimizer_load(library: Library, tmp_path: Path) -> None:
    state = train(library, tmp_path, 2)
    tensors, metadata = read_tensors(tmp_path / STATE_FILE)
    old = {name.replace("optimizer.", "optimiser."): value for name, value in tensors.items()}
    assert old.keys() != tensors.keys()
    write_tensors(tmp_path / "old", old, metadata)
    loaded = new_state(0, TINY)
    load_state(loaded, tmp_path / "old")
    assert_equal(state, loaded)
    save_state(loaded, tmp_path / "again")
    again = read_tensors(tmp_path / "again")[0]
    assert again.keys() == tensors.keys()
    assert all(torch.equal(again[name], tensors[name]) for name in tensors)


def test_training_lowers_the_loss(library: Library) -> None:
    from haleganada_server.training.pretrain.loop import train_step

    state = new_state(0, TINY)
    batch = next(inline_batches(library, SHAPE, 0, 0))
    losses = [train_step(state, batch, 2e-3) for _ in range(30)]
    assert losses[-1] < 0.7 * losses[0]


def test_orthogonalized_matrices_have_singular_values_near_one() -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalize(torch.randn(24, 60)))
    assert values.min() > 0.6 and values.max() < 1.3


def test_the_learning_rate_rises_stays_flat_and_falls() -> None:
    assert learning_rate(0) < learning_rate(0.005) < learning_rate(0.2) == LEARNING_RATE
    assert learning_rate(0.4) > learning_rate(0.7) > learning_rate(1) > 0


def test_a_step_in_bfloat16_goes_the_same_way_as_one_in_float32(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pretend that this processor is fast at bfloat16."""
    batch = next(inline_batches(library, SHAPE, 0, 0))
    updates = []
    for dtype in (None, torch.bfloat16):
        monkeypatch.setattr(loop, "fast_dtype", lambda _, dtype=dtype: dtype)
        state = new_state(0, TINY)
        before = {name: value.clone() for name, value in state.network.named_parameters()}
        for _ in range(3):
            loop.train_step(state, batch, LEARNING_RATE)
        assert all(p.dtype == torch.float32 for p in state.network.parameters())
        updates.append(torch.cat([(p - before[n]).flatten() for n, p in state.network.named_parameters()]))
    exact, rounded = updates
    assert not torch.equal(exact, rounded)
    assert torch.nn.functional.cosine_similarity(exact, rounded, dim=0) > 0.95
