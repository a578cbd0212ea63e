"""Learning and recognizing a drawing with a frozen ResNet-50: python -m tests.bench.rivals.frozen_resnet

The usual recipe of recognizers that learn on the fly: features by a frozen ResNet-50 (He et al. 2016) at 224 x 224,
three transformer layers on top, five steps of AdamW for each drawing. Prints JSON: milliseconds to learn a drawing and
to recognize one, medians. The weights are random, which takes the same time. Needs torch and torchvision.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np
import torch
import torchvision
from torch import nn

LABELS, STEPS, TIMES = 333, 5, 10


def main() -> None:
    torch.manual_seed(1)
    backbone, learned = _build_backbone(), _build_head()
    optimizer = torch.optim.AdamW(learned.parameters(), lr=1e-3, weight_decay=0.01)
    drawings = [torch.rand(1, 3, 224, 224) for _ in range(TIMES)]

    def learn(number: int) -> None:
        with torch.inference_mode():
            features = backbone(drawings[number])
        features, label = features.clone(), torch.tensor([number % LABELS])
        learned.train()
        for _ in range(STEPS):
            optimizer.zero_grad()
            nn.functional.cross_entropy(learned(features), label).backward()
            optimizer.step()

    def recognize(number: int) -> None:
        with torch.inference_mode():
            learned.eval()(backbone(drawings[number])).softmax(1)

    print(json.dumps({"learn_ms": _time(learn), "recognize_ms": _time(recognize)}))


def _build_backbone() -> nn.Module:
    backbone = torchvision.models.resnet50()
    backbone.fc = nn.Identity()
    return backbone.eval().requires_grad_(False)


def _build_head() -> nn.Module:
    """From 2,048 features to the labels: three transformer layers of 512 and two dense ones."""
    layer = nn.TransformerEncoderLayer(512, 8, 2048, 0.1, batch_first=True)
    dense = [nn.Linear(512, 1024), nn.ReLU(), nn.Dropout(0.3), nn.Linear(1024, 512), nn.ReLU(), nn.Dropout(0.3)]
    return nn.Sequential(
        nn.Linear(2048, 512), nn.Unflatten(1, (1, 512)), nn.TransformerEncoder(layer, 3), nn.Flatten(), *dense,
        nn.Linear(512, LABELS),
    )  # fmt: skip


def _time(call: Callable[[int], None]) -> float:
    call(0)
    times = []
    for number in range(TIMES):
        began = time.perf_counter()
        call(number)
        times.append(1000 * (time.perf_counter() - began))
    return float(np.median(times))


if __name__ == "__main__":
    main()
