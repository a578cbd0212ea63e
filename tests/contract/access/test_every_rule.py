"""Every call of the contract, with every kind of token that must not be enough."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc import StatusCode
from haleganada.v1 import access_pb2
from haleganada_server.config import ServerConfig
from haleganada_server.core.access.identity import Role

from tests.conftest import RunningServer, run_server
from tests.contract.refusals import Refusal, expect_refusal, parse
from tests.support.tokens import add_token, bearing, revoke_token

PROTO = Path(__file__).parents[3] / "proto/haleganada/v1"
METHODS = [
    method
    for path in sorted(PROTO.glob("*_service.proto"))
    for service in import_module(f"haleganada.v1.{path.stem}_pb2").DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
OURS = "ours"


@dataclass(frozen=True)
class World:
    """A server, and tokens by what they are."""

    server: RunningServer
    tokens: dict[str, str]

    def call(self, method: MethodDescriptor, request: Any, shown: str | None) -> Any:
        """Make a call; return all that is answered."""
        metadata = None if shown is None else bearing(shown)
        return call(self.server.channel, method, request, metadata)

    def refuse(self, method: MethodDescriptor, request: Any, shown: str | None) -> Refusal:
        """Make a call that must be refused without telling the token."""
        refusal = expect_refusal(lambda: self.call(method, request, shown))
        assert not shown or shown not in refusal.message
        return refusal


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    data = tmp_path_factory.mktemp("data")
    tokens = {role.word: add_token(data, role.word, role, OURS) for role in Role}
    tokens |= {f"{role.word} of all": add_token(data, f"{role.word} of all", role) for role in Role}
    tokens["expired"] = add_token(data, "expired", Role.ADMIN, days=1e-9)
    tokens["revoked"] = add_token(data, "revoked", Role.ADMIN)
    revoke_token(data, "revoked")
    server = run_server(ServerConfig(data, port=0, device="cpu"))
    server.app.workspaces.create(OURS)
    yield World(server, tokens)
    server.stop()


def serialize(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


def call(channel: grpc.Channel, method: MethodDescriptor, request: Any, metadata: Any) -> Any:
    kinds: dict[tuple[bool, bool], Any] = {(False, False): channel.unary_unary, (False, True): channel.unary_stream}
    kinds |= {(True, False): channel.stream_unary, (True, True): channel.stream_stream}
    make = kinds[method.client_streaming, method.server_streaming]
    stub = make(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=serialize,
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    answer = stub(iter([request]) if method.client_streaming else request, metadata=metadata, timeout=60)
    return list(answer) if method.server_streaming else answer


def empty(method: MethodDescriptor) -> Any:
    return GetMessageClass(method.input_type)()


def access_of(method: MethodDescriptor) -> access_pb2.Access:
    return method.GetOptions().Extensions[access_pb2.access]


def role_of(method: MethodDescriptor) -> Role:
    return Role(access_of(method).role)


def path_of(message: Descriptor) -> tuple[str, ...]:
    """Where a request names its workspace."""
    if "workspace" in message.fields_by_name:
        return ("workspace",)
    parts = {field.name: field.message_type for field in message.fields if field.message_type is not None}
    return next((name, *path) for name, part in parts.items() if (path := path_of(part)))


def naming(method: MethodDescriptor, workspace: str) -> Any:
    """A request that names a workspace and nothing else."""
    request = part = empty(method)
    *parents, name = path_of(method.input_type)
    for parent in parents:
        part = getattr(part, parent)
        part.SetInParent()
    setattr(part, name, workspace)
    return request


@every_method
def test_who_shows_no_valid_token_is_refused(world: World, method: MethodDescriptor) -> None:
    wrong = world.tokens["admin"][:-4] + "0000"
    reasons = {None: "TOKEN_MISSING", "": "TOKEN_MISSING", "guessed": "TOKEN_WRONG", wrong: "TOKEN_WRONG"}
    reasons |= {"hlg_00000000_guessed": "TOKEN_WRONG", "hlg__": "TOKEN_WRONG"}
    reasons |= {world.tokens["expired"]: "TOKEN_EXPIRED", world.tokens["revoked"]: "TOKEN_REVOKED"}
    for shown, reason in reasons.items():
        found = world.refuse(method, empty(method), shown)
        assert (found.code, found.reason) == (StatusCode.UNAUTHENTICATED, reason), shown
        assert "administrator" in found.message


@every_method
def test_a_lesser_role_is_refused_and_told_which_one_is_needed(world: World, method: MethodDescriptor) -> None:
    for role in Role:
        refuse = partial(world.refuse, method, empty(method), world.tokens[f"{role.word} of all"])
        if role < role_of(method):
            found = refuse()
            assert (found.code, found.reason) == (StatusCode.PERMISSION_DENIED, "ROLE_TOO_LOW")
            assert role_of(method).word in found.message and role.word in found.message


@every_method
def test_the_role_that_the_contract_names_is_enough(world: World, method: MethodDescriptor) -> None:
    try:
        world.call(method, empty(method), world.tokens[f"{role_of(method).word} of all"])
    except grpc.RpcError as error:
        assert parse(error).code not in (StatusCode.UNAUTHENTICATED, StatusCode.PERMISSION_DENIED, StatusCode.INTERNAL)


@pytest.mark.parametrize(
    "method",
    [method for method in METHODS if access_of(method).scope == access_pb2.SCOPE_WORKSPACE],
    ids=lambda method: method.name,
)
def test_another_workspace_is_refused_whether_it_exists_or_not(world: World, method: MethodDescriptor) -> None:
    shown = world.tokens[role_of(method).word]
    for workspace in ("", "default", "nobody’s", "ours ours"):
        found = world.refuse(method, naming(method, workspace), shown)
        assert (found.code, found.reason) == (StatusCode.PERMISSION_DENIED, "WORKSPACE_NOT_ALLOWED")
    for workspace in (OURS, f" {OURS}\u200b"):  # which is the same name
        try:
            world.call(method, naming(method, workspace), shown)
        except grpc.RpcError as error:
            assert parse(error).code not in (StatusCode.UNAUTHENTICATED, StatusCode.PERMISSION_DENIED)


def test_the_comments_name_the_roles() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PROTO.glob("*_service.proto"))
    named = {method: role for role, method in re.findall(r"// Role: (\w+)\.\n  rpc (\w+)", text)}
    assert named == {method.name: role_of(method).word for method in METHODS}
