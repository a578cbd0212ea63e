"""The audit trail: who exported, deleted and changed tokens. What people taught is in the logs of the workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .identity import Caller


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """time_us: microseconds since 1970 UTC. what: a method of the contract, or what a command did, as "token add".
    workspace: "" = none. detail: what it was done to.
    """

    time_us: int
    caller: Caller
    what: str
    workspace: str = ""
    detail: str = ""


class AuditTrail(Protocol):
    """Where entries are kept. Safe from any thread and process."""

    def append(self, entry: AuditEntry) -> None:
        """Keep an entry; it is on disk when this returns. Raises OSError."""
