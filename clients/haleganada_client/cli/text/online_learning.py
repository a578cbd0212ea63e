"""What answers in a workspace, and how far a network that learns along has come, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from haleganada_client.cli.layout import printable
from haleganada_client.cli.session import Session
from haleganada_client.errors import HaleganadaError
from haleganada_client.types import FEW_SHOT, ONLINE, OnlineStatus, Taught, WorkspaceInfo

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


def not_learned(session: Session, client: HaleganadaClient) -> list[str]:
    """A line that says that what was just taught changes no answer, where a model that does not learn answers.

    Nothing where programs read, and where the server does not tell: what was taught is on its disk in any case.
    """
    here = _here(session, client)
    if here is None or here.online is not None or here.model in ("", FEW_SHOT, ONLINE):
        return []
    try:
        model = client.models.get(here.model)
    except HaleganadaError:
        return []
    ways = [f"`{session.command_line('models', 'use', FEW_SHOT)}` goes back to the head that has learned it"]
    if model.supports_online_learning:
        along = session.command_line("models", "use", model.model_id, "--online")
        ways.insert(0, f"`{along}` starts a network from it that does")
    return [f"kept, but the model {printable(model.name)} answers here and does not learn; {', '.join(ways)}"]


def waited_for(session: Session, client: HaleganadaClient, taught: Taught) -> list[str]:
    """A line that says what came of waiting for the network that learns along. Nothing where programs read, and where
    the server does not tell.
    """
    if taught.learned:
        return [f"{LEARNS_ALONG} has learned it, too"]
    here = _here(session, client)
    if here is None:
        return []
    if here.online is None:
        return ["no network learns along here; few-shot has learned it"]
    return [f"{LEARNS_ALONG} has not learned it yet; `{session.command_line('stats')}` tells how far it is"]


def learned_anew(session: Session, client: HaleganadaClient) -> list[str]:
    """A line that says that a network learns again what came after a change, where one does. Nothing where programs
    read, and where the server does not tell.
    """
    here = _here(session, client)
    if here is None or here.online is None or not here.online.rebuilding:
        return []
    look = session.command_line("workspaces")
    return [f"{LEARNS_ALONG} learns anew what came after it; `{look}` shows how far it is"]


def _here(session: Session, client: HaleganadaClient) -> WorkspaceInfo | None:
    """None where programs read, and where the server does not tell."""
    if session.json:
        return None
    try:
        return client.get_workspace()
    except HaleganadaError:
        return None


def answers(workspace: WorkspaceInfo, names: Mapping[str, str]) -> str:
    """What answers there, for example "online, from cnn36". names: as of names_of."""
    if workspace.online:
        return f"{ONLINE}, from {names.get(workspace.online.start, workspace.online.start)}"
    return names.get(workspace.model, workspace.model)


def progress(workspace: WorkspaceInfo, names: Mapping[str, str]) -> str:
    """How far its network is, in one line, for example "120 learned, 3 to learn; answers know revision 118"; "" if it
    has none. names: as of names_of.
    """
    online = workspace.online
    if online is None:
        return ""
    if online.error:
        return f"does not learn, few-shot answers: {online.error}"
    left = _left(workspace, online)
    parts = [f"{online.samples_learned:,} learned, {left:,} to learn"]
    if online.rebuilding:
        parts.append("learning anew what came after a change")
    if online.revision is not None and online.labels_known > 1:
        parts.append(f"answers know revision {online.revision}")
    elif left:
        parts.append("few-shot answers until then")
    elif online.start not in names:
        parts.append("few-shot answers until two labels are taught")
    else:  # from a model it has labels before anything is taught, and answers as soon as its process is there
        parts.append("few-shot answers until it has started")
    return "; ".join(parts)


def _left(workspace: WorkspaceInfo, online: OnlineStatus) -> int:
    """A network that has just begun has not counted yet."""
    if online.revision is not None:
        return online.samples_left
    return max(online.samples_left, workspace.samples_total - online.samples_learned)
