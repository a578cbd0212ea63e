"""Weights between those that a model had before it was taught a hand and those that it has after: a mean of both reads
the hand nearly as well, and has forgotten far less of other hands (WiSE-FT, Wortsman et al. 2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from haleganada_server.training.fit.state import copy_tensors

from .loop import LineLoop
from .network import HEADS

LEAST_VALIDATED = 10
"""Lines of the validation part without which nothing is averaged: fewer do not tell what it costs."""

_SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class WeightMean:
    """share: of what the training changed that is kept. accuracy: of the mean, on the validation part."""

    share: float
    accuracy: float


def average_with_start(loop: LineLoop, start: Mapping[str, Tensor], known: int) -> WeightMean | None:
    """Replace the best state by that mean of it and the start which has the lowest loss on the validation part. Returns
    None, and keeps the state, if that part is too small.

    The loss decides, not the error rate: with a few dozen lines, the latter is mostly chance. start: on the CPU.
    known: symbols of the start; rows of later ones stay as they were learned.
    """
    if len(loop.validation) < LEAST_VALIDATED:
        return None
    state = loop.state
    last, best = copy_tensors(state.network), state.best
    measured = {}
    for share in _SHARES:
        state.network.load_state_dict(_average(start, best, share, known))
        measured[share] = loop.validate()
    state.network.load_state_dict(last)
    share = min(_SHARES, key=lambda one: measured[one][0])
    state.best = _average(start, best, share, known)
    return WeightMean(share, measured[share][1])


def _average(start: Mapping[str, Tensor], end: Mapping[str, Tensor], share: float, known: int) -> dict[str, Tensor]:
    """Return tensors at this share of the way from the start to the end; counts are those of the end."""
    mean = {name: start[name].lerp(one, share) if one.is_floating_point() else one for name, one in end.items()}
    for name, one in mean.items():
        if name.partition(".")[0] in HEADS:
            one[known + 1 :] = end[name][known + 1 :]
    return mean
