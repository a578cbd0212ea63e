"""Checkpoints of a training: each is one safetensors file with a JSON header, put in place whole; the last two are
kept.

A killed run goes on from the last one, or from the one before it if that cannot be read. The server deletes them when
the job is over, by their names (core.job_ports.CHECKPOINTS). No pickle anywhere.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from haleganada_server.core.jobs.job import Epoch
from haleganada_server.training.common.atomic_files import write_safetensors
from haleganada_server.training.common.checkpoint import read_tensors

from .schedule import Plateau
from .state import FitState, plain_tensors

KEPT = 2
FORMAT = 2
"""Of checkpoints, of what networks keep in them, and of how drawings are augmented: another format, another
training.
"""
_NAME = "checkpoint-{:06}.safetensors"
_PATTERN = "checkpoint-*.safetensors"
_LOG = logging.getLogger(__name__)


def save_checkpoint(state: FitState, folder: Path, fingerprint: str) -> None:
    """Write the state after an epoch, then delete all but it and the one before; later ones are of another training.

    fingerprint: of all that another training would do differently; load_checkpoint asks for the same. Raises OSError,
    for example when the disk is full; the checkpoints before are untouched then.
    """
    header = {
        "format": FORMAT,
        "fingerprint": fingerprint,
        "best_epoch": state.best_epoch,
        "plateau": asdict(state.plateau),
        "precision": state.precision.state(),
        "history": [asdict(epoch) for epoch in state.history],
    }
    newest = folder / _NAME.format(state.epoch)
    write_safetensors(newest, _tensors(state), {"fit": json.dumps(header)})
    found = _newest_first(folder)
    own = found.index(newest)
    for path in found[:own] + found[own + KEPT :]:
        path.unlink()


def load_checkpoint(state: FitState, folder: Path, fingerprint: str) -> bool:
    """Restore the newest checkpoint that can be read, into a state built in the same way; False if there is none."""
    for path in _newest_first(folder):
        try:
            tensors, metadata = read_tensors(path)
            header = json.loads(metadata["fit"])
        except Exception as error:  # whatever a reader of damaged bytes raises: the one before may do
            _LOG.warning("%s cannot be read: %s", path.name, error)
            continue
        if (header.get("format"), header["fingerprint"]) == (FORMAT, fingerprint):
            _restore(state, tensors, header)
            return True
        _LOG.warning("%s is of another training", path.name)
    return False


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob(_PATTERN), reverse=True)


def _tensors(state: FitState) -> dict[str, Tensor]:
    """All tensors by flat names. The best state is left out where it is the present one."""
    out = {f"network.{k}": v for k, v in plain_tensors(state.network).items()}
    if state.best_epoch != state.epoch:
        out |= {f"best.{k}": v for k, v in state.best.items()}
    for index, values in state.optimiser.state_dict()["state"].items():
        out |= {f"optimiser.{index}.{k}": v.detach().cpu().contiguous() for k, v in values.items()}
    return out


def _restore(state: FitState, tensors: dict[str, Tensor], header: dict[str, object]) -> None:
    state.network.load_state_dict(_part(tensors, "network."))
    state.history = [Epoch(**entry) for entry in header["history"]]  # type: ignore[attr-defined]
    state.best_epoch = int(header["best_epoch"])  # type: ignore[call-overload]
    state.best = _part(tensors, "best.") or plain_tensors(state.network)
    state.plateau = Plateau(**header["plateau"])  # type: ignore[arg-type]
    state.precision.restore(header.get("precision", {}))  # type: ignore[arg-type]  # older ones lack it
    _restore_optimiser(state.optimiser, _part(tensors, "optimiser."))


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    states: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".")
        like = parameters[int(index)]
        # In the parameter's own memory order, so that each step computes as it would have without the break.
        values = torch.empty_like(like).copy_(value) if value.shape == like.shape and value.ndim else value
        states.setdefault(int(index), {})[key] = values
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
