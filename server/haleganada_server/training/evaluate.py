"""One-shot error within alphabets that were never trained on, in the manner of the Omniglot challenge."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from haleganada_server.training.raster_synthesis import SIDE, Raster, fit
from haleganada_server.training.sources import HELD_OUT_ALPHABETS, Scans

WAYS = 20
Embeddings = NDArray[np.float32]


@torch.inference_mode()
def embed(network: torch.nn.Module, rasters: Raster, batch: int = 256) -> Embeddings:
    """(n, 64, 64) uint8 -> (n, d), with the network in evaluation mode."""
    was_training = network.training
    network.eval()
    parts = []
    for i in range(0, len(rasters), batch):
        ink = torch.from_numpy(rasters[i : i + batch]).float().div_(255).view(-1, 1, SIDE, SIDE)
        parts.append(network(ink.contiguous(memory_format=torch.channels_last)).numpy())
    network.train(was_training)
    return np.concatenate(parts)


def held_out_rasters(alphabets: dict[str, list[Scans]]) -> dict[str, Raster]:
    """Alphabet -> (characters, drawers, 64, 64), of the alphabets kept out of training."""
    return {a: np.stack([[fit(s) for s in c] for c in alphabets[a]]) for a in HELD_OUT_ALPHABETS if a in alphabets}


def embed_alphabets(network: torch.nn.Module, rasters: dict[str, Raster]) -> list[Embeddings]:
    """For each alphabet (characters, drawers, d)."""
    return [embed(network, x.reshape(-1, SIDE, SIDE)).reshape(*x.shape[:2], -1) for x in rasters.values()]


def one_shot_tasks(embeddings: list[Embeddings], tasks: int, seed: int = 0) -> list[tuple[Embeddings, Embeddings]]:
    """Pairs (taught, tested), each (20, d): 20 characters of one alphabet, one drawer teaches and another tests."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(tasks):
        z = embeddings[i % len(embeddings)]
        characters = rng.choice(len(z), min(WAYS, len(z)), replace=False)
        teacher, tester = rng.choice(z.shape[1], 2, replace=False)
        out.append((z[characters, teacher], z[characters, tester]))
    return out


def one_shot_error(embeddings: list[Embeddings], tasks: int = 600, seed: int = 0) -> float:
    """Share of wrong answers by the cosine."""
    wrong = [(q @ t.T).argmax(1) != np.arange(len(t)) for t, q in one_shot_tasks(embeddings, tasks, seed)]
    return float(np.mean(np.concatenate(wrong)))
