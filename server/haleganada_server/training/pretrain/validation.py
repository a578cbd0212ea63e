"""One-shot error within held-out alphabets, in the manner of the Omniglot challenge."""

from __future__ import annotations

import numpy as np
import torch

from haleganada_server.training.pretrain.synthesis.rasters import Raster, frame_scan
from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_ALPHABETS, Scans

from .one_shot import Embeddings, cosine_error, make_random_tasks


@torch.inference_mode()
def embed(network: torch.nn.Module, rasters: Raster, batch: int = 256) -> Embeddings:
    """Embed (n, side, side) uint8 as (n, d), with the network in evaluation mode."""
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    parts = []
    for i in range(0, len(rasters), batch):
        ink = torch.from_numpy(rasters[i : i + batch]).float().div_(255)[:, None]
        parts.append(network(ink.to(device, memory_format=torch.channels_last)).cpu().numpy())
    network.train(was_training)
    return np.concatenate(parts)


def frame_held_out(alphabets: dict[str, list[Scans]], side: int) -> dict[str, Raster]:
    """Return the held-out alphabets as rasters, name -> (characters, writers, side, side)."""
    return {
        a: np.stack([[frame_scan(s, side) for s in c] for c in alphabets[a]])
        for a in HELD_OUT_ALPHABETS
        if a in alphabets
    }


def embed_alphabets(network: torch.nn.Module, rasters: dict[str, Raster]) -> list[Embeddings]:
    """Return the embeddings of each alphabet, (characters, writers, d)."""
    return [embed(network, x.reshape(-1, *x.shape[2:])).reshape(*x.shape[:2], -1) for x in rasters.values()]


def one_shot_error(embeddings: list[Embeddings], tasks: int = 600, seed: int = 0) -> float:
    """Return the share of wrong answers by cosine similarity in random tasks."""
    return cosine_error(make_random_tasks(embeddings, tasks, seed))
