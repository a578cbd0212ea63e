"""Training state on disk: one safetensors file with a JSON header, replaced atomically; no pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

_OPTIMIZER_KEYS = ("optimizer", "optimiser")
"""The second is in files of earlier versions."""


@dataclass
class Progress:
    """How far a run has come, and its best checkpoint so far."""

    step: int = 0
    seconds: float = 0.0
    """Training time, summed over all sessions."""
    best_error: float = 1.0
    best_step: int = 0
    seed: int = 0


@dataclass(frozen=True)
class State:
    """Everything that changes while training."""

    network: nn.Module
    average: nn.Module
    loss: nn.Module
    optimizers: list[torch.optim.Optimizer]
    progress: Progress


def save_state(state: State, path: Path) -> None:
    """Write the state atomically: a killed run leaves the old file or the new one."""
    tensors: dict[str, Tensor] = {}
    for name in ("network", "average", "loss"):
        tensors |= {f"{name}.{k}": v for k, v in getattr(state, name).state_dict().items()}
    for i, optimizer in enumerate(state.optimizers):
        for index, values in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{index}.{k}": torch.as_tensor(v) for k, v in values.items()}
    write_tensors(path, tensors, {"progress": json.dumps(asdict(state.progress))})


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file, which is complete as soon as it has its name."""
    draft = path.with_name(path.name + ".tmp")
    # Contiguous, because channels-last strides are about speed, not content.
    save_file({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}, draft, metadata)
    draft.replace(path)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return all tensors of a file, and its metadata."""
    with safe_open(path, framework="pt") as file:
        return {k: file.get_tensor(k) for k in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118


def load_state(state: State, path: Path) -> None:
    """Restore what save_state wrote into a state that was built the same way."""
    tensors, metadata = read_tensors(path)
    for name in ("network", "average", "loss"):
        part = {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
        getattr(state, name).load_state_dict(part)
    for i, optimizer in enumerate(state.optimizers):
        optimizer.load_state_dict(
            {"state": _nest_optimizer_state(tensors, i), "param_groups": optimizer.state_dict()["param_groups"]}
        )
    for key, value in json.loads(metadata["progress"]).items():
        setattr(state.progress, key, value)


def read_progress(path: Path) -> Progress:
    """Return the progress that save_state wrote, or that of a new run if there is no such file."""
    if not path.exists():
        return Progress()
    with safe_open(path, framework="pt") as file:
        return Progress(**json.loads(file.metadata()["progress"]))


def _nest_optimizer_state(tensors: dict[str, Tensor], i: int) -> dict[int, dict[str, Tensor]]:
    """Turn the flat names of one optimizer's tensors into the nested mapping that torch uses."""
    out: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        parts = name.split(".")
        if parts[0] in _OPTIMIZER_KEYS and int(parts[1]) == i:
            out.setdefault(int(parts[2]), {})[parts[3]] = value
    return out
