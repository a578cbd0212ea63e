"""How a network learns from each drawing."""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.limits import (
    DEFAULT_ONLINE_LEARNING_RATE,
    DEFAULT_ONLINE_STEPS,
    DEFAULT_ONLINE_WEIGHT_DECAY,
    DEFAULT_REPLAY,
    LEARNING_RATE,
    ONLINE_STEPS,
    REPLAY,
    SEED,
    WEIGHT_DECAY,
    Range,
)


@dataclass(frozen=True, slots=True)
class OnlineConfig:
    """Settings of online learning.

    replay: earlier drawings in each step besides the new one; 0 = the new one alone. steps: of the optimizer (AdamW)
    for each drawing. learning_rate, weight_decay: of AdamW. seed: of all random numbers.
    """

    replay: int = DEFAULT_REPLAY
    steps: int = DEFAULT_ONLINE_STEPS
    learning_rate: float = DEFAULT_ONLINE_LEARNING_RATE
    weight_decay: float = DEFAULT_ONLINE_WEIGHT_DECAY
    seed: int = 0

    def check(self) -> None:
        """Raises InvalidInput for a number out of range."""
        for field, allowed in _RANGES.items():
            value = getattr(self, field)
            if not allowed.includes(value):
                raise InvalidInput(field, f"is {value}; give {allowed}")


_RANGES: dict[str, Range[int] | Range[float]] = {
    "replay": REPLAY,
    "steps": ONLINE_STEPS,
    "learning_rate": LEARNING_RATE,
    "weight_decay": WEIGHT_DECAY,
    "seed": SEED,
}
