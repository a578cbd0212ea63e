"""The loss is small where one example identifies its character, and large where it does not."""

from __future__ import annotations

import torch
from haleganada_server.training.pretrain.loss import PairwiseOneShotLoss


def test_separate_characters_cost_next_to_nothing() -> None:
    embeddings = torch.eye(6)[:, None].expand(6, 3, 6)
    assert PairwiseOneShotLoss()(embeddings) < 1e-3


def test_equal_embeddings_cost_the_log_of_the_choices() -> None:
    embeddings = torch.ones(5, 2, 4) / 2
    expected = torch.log(torch.tensor(1.0 + 4 * 2))
    torch.testing.assert_close(PairwiseOneShotLoss()(embeddings), expected)


def test_drawings_of_one_character_are_no_negatives() -> None:
    near = torch.nn.functional.normalize(torch.tensor([[[1.0, 0.0], [1.0, 0.1]], [[0.0, 1.0], [0.1, 1.0]]]), dim=2)
    assert PairwiseOneShotLoss()(near) < 1e-4
