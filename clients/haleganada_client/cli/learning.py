"""What answers in a workspace, and how far a network that learns along has come, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from haleganada_client.types import FEW_SHOT, ONLINE, OnlineStatus, WorkspaceInfo

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient

LEARNS_ALONG = "the network that learns along"


def names_of(client: HaleganadaClient, models: Iterable[str]) -> dict[str, str]:
    """What the models of these ids are called; what is no model's id is left out. Asks the server only if it must."""
    wanted = set(models) - {"", FEW_SHOT, ONLINE}
    return {one.model_id: one.name for one in client.models.list() if one.model_id in wanted} if wanted else {}


def names_needed(workspaces: Iterable[WorkspaceInfo]) -> list[str]:
    """The ids that describing these workspaces needs names for."""
    return [one.online.start if one.online else one.model for one in workspaces]


def answers(workspace: WorkspaceInfo, names: Mapping[str, str]) -> str:
    """What answers there, for example "online, from cnn36". names: as of names_of."""
    if workspace.online:
        return f"{ONLINE}, from {names.get(workspace.online.start, workspace.online.start)}"
    return names.get(workspace.model, workspace.model)


def progress(workspace: WorkspaceInfo) -> str:
    """How far its network is, in one line, for example "120 learned, 3 to learn; answers know revision 118"; "" if it
    has none.
    """
    online = workspace.online
    if online is None:
        return ""
    if online.failure:
        return f"does not learn, few-shot answers: {online.failure}"
    left = _left(workspace, online)
    parts = [f"{online.samples_learned:,} learned, {left:,} to learn"]
    if online.rebuilding:
        parts.append("learning anew what came after a change")
    if online.revision is not None:
        parts.append(f"answers know revision {online.revision}")
    else:
        parts.append(f"few-shot answers until {'then' if left else 'something is taught'}")
    return "; ".join(parts)


def _left(workspace: WorkspaceInfo, online: OnlineStatus) -> int:
    """A network that has just begun has not counted yet."""
    if online.revision is not None:
        return online.samples_left
    return max(online.samples_left, workspace.samples_total - online.samples_learned)
