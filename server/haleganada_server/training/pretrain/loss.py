"""One-shot identification among all pairs of a batch.

Each drawing must identify another drawing of its own character among all drawings of other characters: the one-shot
task itself, for every ordered pair at once (cf. Sohn 2016, Khosla et al. 2020).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class PairwiseOneShotLoss(nn.Module):
    """Softmax over one positive and every negative, with a learned scale of the cosine."""

    def __init__(self, scale: float = 16.0) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return the mean loss, a scalar. embeddings: (ways, drawings, d), of unit length."""
        ways, drawings, _ = embeddings.shape
        flat = embeddings.flatten(0, 1)
        scores = self.log_scale.exp() * flat @ flat.T
        label = torch.arange(ways, device=flat.device).repeat_interleave(drawings)
        same = label[:, None] == label
        negatives = scores.masked_fill(same, -torch.inf).logsumexp(1, keepdim=True)
        positive = same & ~torch.eye(len(flat), dtype=torch.bool, device=flat.device)
        return functional.softplus(negatives - scores)[positive].mean()
