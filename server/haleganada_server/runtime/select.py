"""Which device computes embeddings."""

from __future__ import annotations

import importlib.util

from haleganada_server.core.ports import Embedder

from .onnx_embedder import OnnxEmbedder, ToInput
from .weights import Weights


def select_embedder(device: str, weights: Weights, to_input: ToInput) -> Embedder:
    """device: “cpu”, “cuda:N”, or “auto” for the first GPU if torch is installed and finds one. Raises Precondition."""
    if device == "auto":
        device = "cuda:0" if _has_gpu() else "cpu"
    if device == "cpu":
        return OnnxEmbedder(weights, to_input)
    from .torch_embedder import TorchEmbedder

    return TorchEmbedder(weights, to_input, device)


def _has_gpu() -> bool:
    """Without torch there is no way to use one; torch is only imported if it is there, since that takes seconds."""
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())
