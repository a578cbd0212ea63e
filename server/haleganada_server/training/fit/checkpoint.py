"""Checkpoints of a training: one safetensors file each, with a JSON header, written atomically; the last two are kept.

A killed training resumes from the newest one, or from the one before it if that cannot be read. The server deletes them
by name (core.jobs.ports.CHECKPOINTS) when the job is over. No pickle anywhere.
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
from .state import TrainingState, copy_tensors

KEPT = 2
FORMAT = 3
"""Version of the file, of the networks' tensors in it, and of the augmentation: a training of another version does not
resume.
"""
_NAME = "checkpoint-{:06}.safetensors"
_PATTERN = "checkpoint-*.safetensors"
_LOG = logging.getLogger(__name__)


def save_checkpoint(state: TrainingState, folder: Path, fingerprint: str) -> None:
    """Write the state after an epoch, then delete all other checkpoints but the one before it.

    Later ones are deleted too, for they belong to another training. fingerprint: identifies all that would make this
    another training; load_checkpoint compares it. Raises OSError, for example when the disk is full; the earlier
    checkpoints are untouched then.
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
    write_safetensors(newest, _collect_tensors(state), {"fit": json.dumps(header)})
    found = _list_newest_first(folder)
    own = found.index(newest)
    for path in found[:own] + found[own + KEPT :]:
        path.unlink()


def load_checkpoint(state: TrainingState, folder: Path, fingerprint: str) -> bool:
    """Restore the newest readable checkpoint into a state that was built in the same way; False if there is none."""
    for path in _list_newest_first(folder):
        try:
            tensors, metadata = read_tensors(path)
            header = json.loads(metadata["fit"])
        except Exception as error:  # damaged bytes can raise anything; an older checkpoint may still be readable
            _LOG.warning("%s cannot be read: %s", path.name, error)
            continue
        if (header.get("format"), header["fingerprint"]) == (FORMAT, fingerprint):
            _restore(state, tensors, header)
            return True
        _LOG.warning("%s belongs to another training", path.name)
    return False


def _list_newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob(_PATTERN), reverse=True)


def _collect_tensors(state: TrainingState) -> dict[str, Tensor]:
    """Return all tensors by flat names, without the best state where it is the current one."""
    out = {f"network.{k}": v for k, v in copy_tensors(state.network).items()}
    if state.best_epoch != state.epoch:
        out |= {f"best.{k}": v for k, v in state.best.items()}
    for index, values in state.optimizer.state_dict()["state"].items():
        out |= {f"optimizer.{index}.{k}": v.detach().cpu().contiguous() for k, v in values.items()}
    return out


def _restore(state: TrainingState, tensors: dict[str, Tensor], header: dict[str, object]) -> None:
    state.network.load_state_dict(_select(tensors, "network."))
    state.history = [Epoch(**entry) for entry in header["history"]]  # type: ignore[attr-defined]
    state.best_epoch = int(header["best_epoch"])  # type: ignore[call-overload]
    state.best = _select(tensors, "best.") or copy_tensors(state.network)
    state.plateau = Plateau(**header["plateau"])  # type: ignore[arg-type]
    state.precision.restore(header["precision"])  # type: ignore[arg-type]
    _restore_optimizer(state.optimizer, _select(tensors, "optimizer."))


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    states: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".")
        like = parameters[int(index)]
        # In the parameter's own memory order, so that each step computes what it would have without the interruption.
        values = torch.empty_like(like).copy_(value) if value.shape == like.shape and value.ndim else value
        states.setdefault(int(index), {})[key] = values
    optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})


def _select(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
