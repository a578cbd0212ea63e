"""A second process that computes gradients for a training, so that two cores work without waiting for each other."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from multiprocessing.synchronize import Event

import torch
from torch import Tensor, nn

_POLL_S = 0.01


class GradientWorker:
    """Computes the gradients of batches of its own for weights as they were when it began with a batch."""

    def __init__(self, network: nn.Module, compute: Callable[[nn.Module], Iterator[None]]) -> None:
        """network: whose weights the worker is to see; they move into shared memory. compute: leaves the gradients of
        one batch after another in the network that it is given.
        """
        network.share_memory()
        self._network = network
        self._gradients: list[Tensor] = [torch.zeros_like(one).share_memory_() for one in _trained(network)]
        context = multiprocessing.get_context("fork")  # the data are there already
        self._is_ready: Event = context.Event()
        self._process = context.Process(target=self._work, args=(compute, os.getpid()), daemon=True)
        self._process.start()

    def add(self) -> bool:
        """Average the gradients of a batch into those of the network. Returns False if none are ready."""
        if not self._is_ready.is_set():
            return False
        for parameter, other in zip(_trained(self._network), self._gradients, strict=True):
            assert parameter.grad is not None
            parameter.grad.add_(other).div_(2)
        self._is_ready.clear()
        return True

    def stop(self) -> None:
        """End the worker."""
        self._process.terminate()
        self._process.join()

    def _work(self, compute: Callable[[nn.Module], Iterator[None]], parent: int) -> None:
        own = deepcopy(self._network)
        own.train()
        for _ in compute(own):
            while self._is_ready.is_set():
                if os.getppid() != parent:
                    return
                time.sleep(_POLL_S)
            for shared, parameter in zip(self._gradients, _trained(own), strict=True):
                assert parameter.grad is not None
                shared.copy_(parameter.grad)
            self._is_ready.set()
            with torch.no_grad():
                own.load_state_dict(self._network.state_dict())


def _trained(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]
