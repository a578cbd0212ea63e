"""Reflection, by which tools such as grpcurl learn the contract from the server itself: in its present version, v1, and
in v1alpha for older tools. gRPC's package has only the latter; both have the same messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_reflection.v1alpha import reflection, reflection_pb2

_ALPHA, _PRESENT = "grpc.reflection.v1alpha", "grpc.reflection.v1"
_SERVICE = f"{_PRESENT}.ServerReflection"


def enable_reflection(services: Sequence[str], server: grpc.Server) -> None:
    """Add reflection on these services, and on itself, to a server that has not started."""
    pool = _DescribingPool()
    names = [*services, _SERVICE, reflection.SERVICE_NAME]
    servicer = reflection.ReflectionServicer(names, pool=pool)
    reflection.enable_server_reflection(names, server, pool=pool)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_registered_method_handlers(_SERVICE, {"ServerReflectionInfo": handler})
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(_SERVICE, {"ServerReflectionInfo": handler}),)
    )


class _DescribingPool:
    """The pool of all loaded contracts, which also finds what protobuf's own leaves out: methods, oneofs, and v1."""

    def __init__(self) -> None:
        self._pool = descriptor_pool.Default()
        self._present = descriptor_pool.DescriptorPool()
        self._present.AddSerializedFile(_describe_present_version())

    def FindFileByName(self, name: str) -> FileDescriptor:
        """Raise KeyError."""
        with suppress(KeyError):
            return self._pool.FindFileByName(name)
        return self._present.FindFileByName(name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:
        """Raise KeyError."""
        for pool in (self._pool, self._present):
            with suppress(KeyError):
                return pool.FindFileContainingSymbol(symbol)
            with suppress(KeyError):
                return pool.FindMethodByName(symbol).containing_service.file
            with suppress(KeyError):
                return pool.FindOneofByName(symbol).containing_type.file
        raise KeyError(symbol)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


def _describe_present_version() -> bytes:
    """Return the description of v1: that of v1alpha under its own names."""
    alpha = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(alpha)
    present = descriptor_pb2.FileDescriptorProto(
        name="grpc/reflection/v1/reflection.proto", package=_PRESENT, syntax=alpha.syntax
    )
    present.message_type.extend(alpha.message_type)
    present.service.extend(alpha.service)
    for field in (field for message in present.message_type for field in message.field):
        if field.type_name:
            field.type_name = field.type_name.replace(_ALPHA, _PRESENT)
    for method in present.service[0].method:
        method.input_type = method.input_type.replace(_ALPHA, _PRESENT)
        method.output_type = method.output_type.replace(_ALPHA, _PRESENT)
    return present.SerializeToString()
