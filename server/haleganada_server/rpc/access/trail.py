"""Keeps who makes the calls that the contract wants to be audited: before they are carried out, so that none goes
unseen, whatever becomes of it.
"""

from __future__ import annotations

from typing import Any

from haleganada_server.core.access.audit import AuditEntry, AuditTrail
from haleganada_server.core.access.identity import Caller, Identity
from haleganada_server.core.baton import without_baton
from haleganada_server.core.clock import now_us
from haleganada_server.core.labels import workspace_name
from haleganada_server.core.machine_errors import machine_errors

_SUBJECTS = ("snapshot_id", "reading_id", "dataset_id", "model_id", "job_id")
_LONGEST = 64  # characters; ids are not longer


def note_call(trail: AuditTrail, method: str, identity: Identity, message: Any) -> None:
    """Keep one call. Raises Exhausted or Unavailable if that is not possible, and then the call is refused."""
    workspace = workspace_name(message.workspace) if hasattr(message, "workspace") else ""
    subjects = (str(getattr(message, name, "")) for name in _SUBJECTS)
    detail = next(filter(None, subjects), "")[:_LONGEST]
    with machine_errors(), without_baton():
        trail.append(AuditEntry(now_us(), Caller(identity.name), method, workspace, detail))
