"""The loss is small if one example identifies its character, and large if not."""

from __future__ import annotations

import torch
from haleganada_server.training.pretrain.loss import PairwiseOneShotLoss


def test_separate_characters_have_almost_no_loss() -> None:
    embeddings = torch.eye(6)[:, None].expand(6, 3, 6)
    assert PairwiseOneShotLoss()(embeddings) < 1e-3


def test_equal_embeddings_have_the_loss_of_guessing() -> None:
    embeddings = torch.ones(5, 2, 4) / 2
    expected = torch.log(torch.tensor(1.0 + 4 * 2))
    torch.testing.assert_close(PairwiseOneShotLoss()(embeddings), expected)


def test_drawings_of_one_character_are_not_negatives() -> None:
    near = torch.nn.functional.normalize(torch.tensor([[[1.0, 0.0], [1.0, 0.1]], [[0.0, 1.0], [0.1, 1.0]]]), dim=2)
    assert PairwiseOneShotLoss()(near) < 1e-4
