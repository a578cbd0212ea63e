"""The embedder on a GPU, by torch. Calls that arrive together share a batch."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from haleganada_server.core.errors import Precondition

from .onnx_embedder import ToInput
from .weights import Weights

if TYPE_CHECKING:
    import torch

    from .network import EmbedderNetwork

_LARGEST_BATCH = 512


class TorchEmbedder:
    """core.ports.Embedder. Safe from any thread."""

    def __init__(self, weights: Weights, to_input: ToInput, device: str) -> None:
        """device: “cuda:0” and the like. Raises Precondition without torch or such a device."""
        self._device = _device(device)
        self._network = _network(weights, self._device)
        self._weights, self._to_input = weights, to_input
        self._lock = threading.Lock()
        self._waiting: deque[tuple[NDArray[np.uint8], Future[NDArray[np.float32]]]] = deque()

    @property
    def hash(self) -> str:
        return self._weights.hash

    @property
    def device(self) -> str:
        return f"{self._device} (torch)"

    def embed(self, rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 128, 128) uint8 -> (n, d) float32. Whoever gets the lock computes for all who wait."""
        answer: Future[NDArray[np.float32]] = Future()
        self._waiting.append((rasters, answer))
        with self._lock:
            while not answer.done():
                self._run_group()
        return answer.result()

    def _run_group(self) -> None:
        group = [self._waiting.popleft()]
        while self._waiting and sum(len(rasters) for rasters, _ in group) < _LARGEST_BATCH:
            group.append(self._waiting.popleft())
        try:
            vectors = self._forward(np.concatenate([rasters for rasters, _ in group]))
        except Exception as error:
            for _, answer in group:
                answer.set_exception(error)
            return
        for rasters, answer in group:
            answer.set_result(vectors[: len(rasters)])
            vectors = vectors[len(rasters) :]

    def _forward(self, rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        ink = torch.from_numpy(self._to_input(rasters, self._weights.side)).to(self._device)
        with torch.inference_mode():
            return np.asarray(self._network(ink).float().cpu().numpy())


def _device(name: str) -> torch.device:
    try:
        import torch
    except ImportError:
        raise Precondition(
            f"--device {name} needs torch; install it with: pip install 'haleganada[train]'", "TORCH_NOT_INSTALLED"
        ) from None
    if not torch.cuda.is_available() or (int(name.partition(":")[2] or 0) >= torch.cuda.device_count()):
        raise Precondition(f"there is no {name} on this machine; use --device cpu", "NO_SUCH_DEVICE")
    return torch.device(name)


def _network(weights: Weights, device: torch.device) -> EmbedderNetwork:
    import torch

    from .network import EmbedderNetwork, NetworkShape

    with safe_open(weights.safetensors, framework="pt") as file:
        meta = file.metadata() or {}
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a dict
    shape = NetworkShape(**{key: int(meta[key]) for key in ("side", "width", "dim") if key in meta})
    network = EmbedderNetwork(shape)
    network.load_state_dict(state, strict=True)
    network.to(device=device, dtype=torch.float32).eval()
    return network
