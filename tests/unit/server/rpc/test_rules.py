"""The rules of calls: a method without one, or with one that does not fit its request, is noticed at the start."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from haleganada.v1 import access_pb2
from haleganada_server.core.access.identity import Role
from haleganada_server.rpc.access.rules import read_rules


def make_service(access: access_pb2.Access | None, *fields: str) -> ServiceDescriptor:
    """A service with one method, whose request has these text fields."""
    file = descriptor_pb2.FileDescriptorProto(name="new.proto", package="new", syntax="proto3")
    request = file.message_type.add(name="Request")
    for number, name in enumerate(fields, 1):
        request.field.add(
            name=name,
            number=number,
            type=FieldDescriptorProto.TYPE_STRING,
            label=FieldDescriptorProto.LABEL_OPTIONAL,
        )
    method = file.service.add(name="Service").method.add(
        name="New", input_type=".new.Request", output_type=".new.Request"
    )
    if access is not None:
        method.options.Extensions[access_pb2.access].CopyFrom(access)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindServiceByName("new.Service")


@pytest.mark.parametrize(
    "access",
    [
        None,
        access_pb2.Access(),
        access_pb2.Access(role=access_pb2.ROLE_READ),
        access_pb2.Access(scope=access_pb2.SCOPE_SERVER),
    ],
)
def test_a_method_without_a_whole_rule_is_refused(access: access_pb2.Access | None) -> None:
    with pytest.raises(ValueError, match="does not say who may call it"):
        read_rules([make_service(access)])


def test_a_rule_must_fit_the_request() -> None:
    named = access_pb2.Access(role=access_pb2.ROLE_READ, scope=access_pb2.SCOPE_WORKSPACE)
    nowhere = access_pb2.Access(role=access_pb2.ROLE_READ, scope=access_pb2.SCOPE_SERVER)
    for access, fields in ((named, ()), (nowhere, ("workspace",))):
        with pytest.raises(ValueError, match="does not fit"):
            read_rules([make_service(access, *fields)])
    found = read_rules([make_service(named, "label", "workspace")])
    assert found["/new.Service/New"].role is Role.READ
