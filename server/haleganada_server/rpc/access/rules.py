"""The rule of each call, read from the contract itself: the option `access` of its method."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from haleganada.v1 import access_pb2

from haleganada_server.core.access.identity import Role
from haleganada_server.core.shares.rates import CallKind

_ROLES = {
    access_pb2.ROLE_READ: Role.READ,
    access_pb2.ROLE_TEACH: Role.TEACH,
    access_pb2.ROLE_TRAIN: Role.TRAIN,
    access_pb2.ROLE_ADMIN: Role.ADMIN,
}
_FIELD = "workspace"
LONG_CALLS = {"ActivateModel", "AddDataset", "EvaluateReading", "GetPageImage", "ListEngines", "PreviewDataset", "Read"}
"""Methods that wait for a child process, or read a whole data set."""
_STARTS_JOB = {"StartTraining", "StartEvaluation"}
_BATCHES = {"PredictBatch": "glyphs", "TrainBatch": "items"}
"""Methods that count once for each drawing, and the fields of these."""


@dataclass(frozen=True, slots=True)
class Rule:
    """role: the least one that may make the call. get_workspace: returns the workspace that a message of the caller
    names, None if it names none, as the chunks of an upload; None = the call has no such messages. audited: whether who
    makes the call is kept in the audit trail. kind: with which others it is counted. batch: field of the drawings for
    each of which it counts; "" = it counts once.
    """

    role: Role
    get_workspace: Callable[[Any], str | None] | None = None
    audited: bool = False
    kind: CallKind = CallKind.SHORT
    batch: str = ""


def read_rules(services: Iterable[ServiceDescriptor]) -> Mapping[str, Rule]:
    """Return the rule of each method by its full name, as "/haleganada.v1.OCRService/Train". Raises ValueError for a
    method that has none, or one that does not fit its request: a server with such a method must not start.
    """
    return {
        f"/{service.full_name}/{method.name}": _read_rule(method) for service in services for method in service.methods
    }


def _read_rule(method: MethodDescriptor) -> Rule:
    access = method.GetOptions().Extensions[access_pb2.access]
    if access.role not in _ROLES or access.scope == access_pb2.SCOPE_UNSPECIFIED:
        raise ValueError(f"{method.full_name} does not say who may call it; give it the option `access`")
    path, role = _find_workspace(method.input_type), _ROLES[access.role]
    kind, batch = _find_kind(method, role), _BATCHES.get(method.name, "")
    if access.scope == access_pb2.SCOPE_ITEM:
        return Rule(role, audited=access.audited, kind=kind, batch=batch)
    if (access.scope == access_pb2.SCOPE_WORKSPACE) != (path is not None):
        raise ValueError(f"the scope of {method.full_name} does not fit its request, which names the workspace {path}")
    return Rule(role, _make_getter(path) if path else None, access.audited, kind, batch)


def _find_kind(method: MethodDescriptor, role: Role) -> CallKind:
    if method.client_streaming or method.server_streaming or method.name in LONG_CALLS | _STARTS_JOB:
        return CallKind.LONG
    return CallKind.TEACHING if role is Role.TEACH else CallKind.SHORT


def _find_workspace(message: Descriptor, depth: int = 3) -> tuple[str, ...] | None:
    """Return the path of the field that names the workspace; None if there is none within so many messages."""
    field = message.fields_by_name.get(_FIELD)
    if field is not None and field.type == FieldDescriptor.TYPE_STRING:
        return (_FIELD,)
    for part in message.fields if depth else ():
        if part.message_type is not None and (path := _find_workspace(part.message_type, depth - 1)):
            return part.name, *path
    return None


def _make_getter(path: tuple[str, ...]) -> Callable[[Any], str | None]:
    *parents, name = path
    if not parents:
        return lambda message: str(message.workspace)

    def get(message: Any) -> str | None:
        for parent in parents:
            if not message.HasField(parent):
                return None
            message = getattr(message, parent)
        return str(getattr(message, name))

    return get
