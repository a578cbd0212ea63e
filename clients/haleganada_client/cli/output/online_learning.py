"""What answers in a workspace, and how far its online network has learned, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from haleganada_client.cli.formatting import printable
from haleganada_client.cli.session import Session
from haleganada_client.errors import HaleganadaError
from haleganada_client.types import FEW_SHOT, ONLINE, OnlineStatus, Taught, WorkspaceInfo

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient

ONLINE_NETWORK = "the online network"


def model_names(client: HaleganadaClient, model_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of models by id, leaving out what is no model's id. Call the server only if necessary."""
    wanted = set(model_ids) - {"", FEW_SHOT, ONLINE}
    return {model.model_id: model.name for model in client.models.list() if model.model_id in wanted} if wanted else {}


def models_of(workspaces: Iterable[WorkspaceInfo]) -> list[str]:
    """Return the ids of the models that answer in the workspaces, or that their online networks started from."""
    return [workspace.online.start if workspace.online else workspace.model for workspace in workspaces]


def warn_if_not_learned(session: Session, client: HaleganadaClient) -> list[str]:
    """Return a line that says so if a model answers that does not learn from what was just taught.

    Return nothing with --json, and if the server does not tell: what was taught is on its disk in any case.
    """
    workspace = _get_workspace(session, client)
    if workspace is None or workspace.online is not None or workspace.model in ("", FEW_SHOT, ONLINE):
        return []
    try:
        model = client.models.get(workspace.model)
    except HaleganadaError:
        return []
    use_few_shot = session.command_line("models", "use", FEW_SHOT)
    ways = [f"`{use_few_shot}` goes back to the few-shot head, which has learned it"]
    if model.supports_online_learning:
        use_online = session.command_line("models", "use", model.model_id, "--online")
        ways.insert(0, f"`{use_online}` starts an online network from it, which does")
    return [f"saved, but the model {printable(model.name)} answers here and does not learn; {'; '.join(ways)}"]


def describe_wait(session: Session, client: HaleganadaClient, taught: Taught) -> list[str]:
    """Return a line with the result of waiting for the online network.

    Return nothing with --json, and if the server does not tell.
    """
    if taught.learned:
        return [f"{ONLINE_NETWORK} has learned it, too"]
    workspace = _get_workspace(session, client)
    if workspace is None:
        return []
    if workspace.online is None:
        return ["this workspace has no online network; few-shot has learned it"]
    return [f"{ONLINE_NETWORK} has not learned it yet; `{session.command_line('stats')}` shows its progress"]


def describe_relearning(session: Session, client: HaleganadaClient) -> list[str]:
    """Return a line that says so if the online network must relearn after a change.

    Return nothing with --json, and if the server does not tell.
    """
    workspace = _get_workspace(session, client)
    if workspace is None or workspace.online is None or not workspace.online.rebuilding:
        return []
    show = session.command_line("workspaces")
    return [f"{ONLINE_NETWORK} is relearning the later samples; `{show}` shows its progress"]


def _get_workspace(session: Session, client: HaleganadaClient) -> WorkspaceInfo | None:
    """Return None with --json, and if the server does not tell."""
    if session.json:
        return None
    try:
        return client.get_workspace()
    except HaleganadaError:
        return None


def describe_model(workspace: WorkspaceInfo, names: Mapping[str, str]) -> str:
    """Say what answers in a workspace, for example "online, from cnn36". names: from model_names."""
    if workspace.online:
        return f"{ONLINE}, from {names.get(workspace.online.start, workspace.online.start)}"
    return names.get(workspace.model, workspace.model)


def describe_online_status(workspace: WorkspaceInfo, names: Mapping[str, str]) -> str:
    """Describe an online network, for example "120 learned, 3 to learn; answers include changes up to revision 118".

    Return "" if the workspace has none. names: from model_names.
    """
    online = workspace.online
    if online is None:
        return ""
    if online.error:
        return f"not learning, few-shot answers: {online.error}"
    left = _count_left(workspace, online)
    parts = [f"{online.samples_learned:,} learned, {left:,} to learn"]
    if online.rebuilding:
        parts.append("relearning after a change")
    if online.revision is not None and online.labels_known > 1:
        parts.append(f"answers include changes up to revision {online.revision}")
    elif left:
        parts.append("few-shot answers until then")
    elif online.start not in names:
        parts.append("few-shot answers until two labels are taught")
    else:  # a network that started from a model knows its labels, and answers as soon as its process is ready
        parts.append("few-shot answers until it has started")
    return "; ".join(parts)


def _count_left(workspace: WorkspaceInfo, online: OnlineStatus) -> int:
    """Count the samples to learn; a network that has just started has not counted them yet."""
    if online.revision is not None:
        return online.samples_left
    return max(online.samples_left, workspace.samples_total - online.samples_learned)
