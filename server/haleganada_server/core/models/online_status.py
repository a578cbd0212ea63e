"""How a workspace's own network learns online, and how far it has got."""

from __future__ import annotations

from dataclasses import dataclass

from .online_config import OnlineConfig


@dataclass(frozen=True, slots=True)
class OnlineLearning:
    """start: the name of a preset that supports online learning, or a model's id."""

    start: str
    config: OnlineConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineStatus:
    """Progress of online learning; fields as in the contract. revision: None as long as the network cannot answer."""

    learning: OnlineLearning
    revision: int | None = None
    labels_known: int = 0
    learned: int = 0
    left: int = 0
    rebuilding: bool = False
    error: str = ""
