"""That a workspace has a network of its own which learns along, and where that stands."""

from __future__ import annotations

from dataclasses import dataclass

from .online_config import OnlineConfig


@dataclass(frozen=True, slots=True)
class Learning:
    """start: the name of a preset that learns online, or a model's id."""

    start: str
    config: OnlineConfig


@dataclass(frozen=True, slots=True)
class OnlineStatus:
    """Where it stands; fields as in the contract. revision: None as long as it cannot answer."""

    learning: Learning
    revision: int | None = None
    labels_known: int = 0
    learned: int = 0
    left: int = 0
    rebuilding: bool = False
    failure: str = ""
