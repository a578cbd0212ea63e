"""How a network learns from each drawing."""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.core.errors import InvalidInput

MAX_REPLAY = 1024


@dataclass(frozen=True, slots=True)
class OnlineConfig:
    """Settings of online learning.

    replay: earlier drawings in each step besides the new one; 0 = the new one alone. steps: of the optimizer (AdamW)
    for each drawing. learning_rate, weight_decay: of AdamW. seed: of all random numbers.
    """

    replay: int = 32
    steps: int = 5
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    seed: int = 0

    def check(self) -> None:
        """Raises InvalidInput for a number out of range."""
        _require(0 <= self.replay <= MAX_REPLAY, "replay", f"{self.replay} is not from 0 to {MAX_REPLAY}")
        _require(1 <= self.steps <= 100, "steps", f"{self.steps} is not from 1 to 100")
        _require(0 < self.learning_rate <= 1, "learning_rate", f"{self.learning_rate} is not above 0 and at most 1")
        _require(0 <= self.weight_decay <= 1, "weight_decay", f"{self.weight_decay} is not from 0 to 1")
        _require(0 <= self.seed < 2**63, "seed", f"{self.seed} is not from 0 to 2^63 - 1")


def _require(valid: bool, field: str, problem: str) -> None:
    if not valid:
        raise InvalidInput(field, problem)
