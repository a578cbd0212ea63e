"""One layer of a transformer's encoder, with the normalization first (Xiong et al. 2020)."""

from __future__ import annotations

import math

from torch import Tensor, nn


class EncoderLayer(nn.Module):
    """(n, tokens, width) -> the same: attention over all tokens, then a dense network on each. heads divides width.

    Attention is written out in plain operations, so that torch and the exported graph compute the same.
    """

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.head_width = heads, width // heads
        self.norm_attention, self.norm_dense = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.dense = nn.Sequential(nn.Linear(width, inner), nn.ReLU(), nn.Dropout(dropout), nn.Linear(inner, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.dropout(self._attend(self.norm_attention(tokens)))
        result: Tensor = tokens + self.dropout(self.dense(self.norm_dense(tokens)))
        return result

    def _attend(self, tokens: Tensor) -> Tensor:
        split = self.queries_keys_values(tokens).unflatten(2, (3, self.heads, self.head_width))
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)  # each (n, heads, tokens, head_width)
        scores = queries @ keys.transpose(2, 3) / math.sqrt(self.head_width)
        mixed = self.dropout(scores.softmax(-1)) @ values
        result: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return result
