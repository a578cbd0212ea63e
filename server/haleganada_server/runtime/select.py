"""Selecting the device that embeds. torch, which takes seconds to import, is not imported without a CUDA driver."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.error_reasons import Reason, StartReason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.glyphs.ports import DeviceState, Embedder

from .gpus import Gpus, explain_torch, find_gpus
from .onnx_embedder import OnnxEmbedder
from .weights import Weights

ToInput = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Selected:
    """An embedder. describe: returns how its device is right now."""

    embedder: Embedder
    describe: Callable[[], DeviceState]


def select_embedder(
    weights: Weights,
    device: str,
    to_input: ToInput,
    memory_bytes: int | None = None,
    find: Callable[[], Gpus] = find_gpus,
) -> Selected:
    """Return the embedder on a device: "auto", "cpu", "cuda:N", or several of the last, separated by commas, which
    share its batches. memory_bytes: of each GPU that it may use; None = all. find: asks for the machine's GPUs. Raises
    Precondition if a device is not available.
    """
    gpus = find() if device != "cpu" else Gpus()
    if device == "auto":
        return _select_automatically(weights, to_input, memory_bytes, gpus)
    if device == "cpu":
        return _select_cpu(weights, to_input, "")
    devices = device.split(",")
    for one in devices:
        _require_cuda(one, gpus)
    if problem := explain_torch():
        raise Precondition(f"{problem}; or choose --device cpu", Reason.TORCH_NOT_INSTALLED)
    try:
        return _select_gpus(weights, to_input, devices, memory_bytes)
    except (RuntimeError, AssertionError) as error:  # the latter is what a torch without CUDA raises
        raise Precondition(
            f"the device {device} cannot be used ({_first_line(error)}); choose --device cpu or auto",
            StartReason.DEVICE_NOT_AVAILABLE,
        ) from error


def _select_automatically(weights: Weights, to_input: ToInput, memory_bytes: int | None, gpus: Gpus) -> Selected:
    problem = gpus.problem or (explain_torch() if gpus.count else "")
    if gpus.count and not problem:
        try:
            return _select_gpus(weights, to_input, ["cuda:0"], memory_bytes)
        except (RuntimeError, AssertionError) as error:
            _log.exception("the GPU cannot be used")
            problem = f"the GPU cannot be used ({_first_line(error)})"
    return _select_cpu(weights, to_input, problem)


def _select_cpu(weights: Weights, to_input: ToInput, note: str) -> Selected:
    return Selected(OnnxEmbedder(weights, to_input), lambda: DeviceState(note=note))


def _select_gpus(weights: Weights, to_input: ToInput, devices: Sequence[str], memory_bytes: int | None) -> Selected:
    from .torch_embedder import TorchEmbedder

    embedder = TorchEmbedder(weights, to_input, devices, memory_bytes)
    return Selected(embedder, embedder.describe)


def _require_cuda(device: str, gpus: Gpus) -> None:
    if not re.fullmatch(r"cuda:\d+", device):
        raise Precondition(f"there is no device “{device}”; choose auto, cpu or cuda:N", StartReason.DEVICE_UNKNOWN)
    if int(device.removeprefix("cuda:")) >= gpus.count:
        found = f"{gpus.count} CUDA device{'' if gpus.count == 1 else 's'}" if gpus.count else "no CUDA device"
        why = f"; {gpus.problem}" if gpus.problem else ""
        raise Precondition(
            f"the device {device} is not available: this machine has {found}{why}; choose --device cpu or auto",
            StartReason.DEVICE_NOT_AVAILABLE,
        )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
