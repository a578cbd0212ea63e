"""docs/reference/grpc.md: the services, messages and error reasons of the contract, from the comments in proto/."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

from docs.generate.markdown import anchor, table

_PROTO = Path(__file__).resolve().parents[2] / "proto"
_PACKAGE = "haleganada.v1"
_INTRODUCTION = """\
# The gRPC contract

[proto/haleganada/v1/](../../proto/haleganada/v1) is the contract; this page lists what it says. An error has a status
code and, in the details of its `google.rpc.Status`, an `ErrorInfo` with one of the [reasons](#errorreason). Some also
have a `BadRequest` that names the wrong field, or a `RetryInfo`."""
_SERVICE, _MESSAGE, _ENUM = 6, 4, 5  # field numbers of FileDescriptorProto
_METHOD, _FIELD, _NESTED, _VALUE = 2, 2, 3, 2  # of ServiceDescriptorProto, DescriptorProto, EnumDescriptorProto
Location = tuple[int, ...]


class Comments:
    """The comments of a file, by the place of what they describe."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self._texts = {
            tuple(location.path): _unwrap(location.leading_comments) for location in file.source_code_info.location
        }

    def of(self, *location: int) -> str:
        """Return the comment before a definition; "" if there is none."""
        return self._texts.get(location, "")


def render() -> str:
    """Return the page."""
    files = [(file, Comments(file)) for file in _load().file if file.package == _PACKAGE]
    services = [(service, comments, i) for file, comments in files for i, service in enumerate(file.service)]
    parts = [_INTRODUCTION]
    parts.append("\n".join(f"- [{service.name}](#{anchor(service.name)})" for service, _, _ in services))
    for service, comments, i in services:
        parts += _describe_service(service, comments, i)
    messages = [
        (message, comments, (_MESSAGE, i)) for file, comments in files for i, message in enumerate(file.message_type)
    ]
    parts.append("## Messages")
    for message, comments, place in sorted(messages, key=lambda entry: entry[0].name):
        parts += _describe_message(message, comments, place)
    enums = [(kind, comments, i) for file, comments in files for i, kind in enumerate(file.enum_type)]
    parts.append("## Enums")
    for kind, comments, i in sorted(enums, key=lambda entry: entry[0].name):
        parts += _describe_enum(kind, comments, i)
    return "\n\n".join(parts)


def _load() -> FileDescriptorSet:
    """Compile the contract with buf, comments included."""
    buf = Path(sys.executable).with_name("buf")
    image = subprocess.run([buf, "build", _PROTO, "-o", "-#format=binpb"], capture_output=True, check=True).stdout
    return FileDescriptorSet.FromString(image)


def _unwrap(comment: str) -> str:
    """Join the lines of each paragraph."""
    paragraphs = comment.replace("\n \n", "\n\n").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).strip()


def _describe_service(service: ServiceDescriptorProto, comments: Comments, i: int) -> Iterator[str]:
    yield f"## {service.name}"
    yield comments.of(_SERVICE, i)
    for j, method in enumerate(service.method):
        yield f"### {service.name}.{method.name}"
        request = f"{'stream ' if method.client_streaming else ''}{_link(method.input_type)}"
        response = f"{'stream ' if method.server_streaming else ''}{_link(method.output_type)}"
        yield f"{request} → {response}"
        yield comments.of(_SERVICE, i, _METHOD, j)


def _describe_message(message: DescriptorProto, comments: Comments, place: Location) -> Iterator[str]:
    yield f"### {message.name}"
    yield comments.of(*place)
    entries = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
    rows = []
    for j, field in enumerate(message.field):
        comment = comments.of(*place, _FIELD, j)
        if field.HasField("oneof_index") and not field.proto3_optional:
            comment = f"{comment} One of `{message.oneof_decl[field.oneof_index].name}`."
        rows.append([f"`{field.name}`", _type(field, entries), comment])
    if rows:
        yield table(["field", "type", ""], rows)
    for j, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from _describe_message(nested, comments, (*place, _NESTED, j))


def _describe_enum(kind: EnumDescriptorProto, comments: Comments, i: int) -> Iterator[str]:
    yield f"### {kind.name}"
    yield comments.of(_ENUM, i)
    rows = [[f"`{value.name}`", comments.of(_ENUM, i, _VALUE, j)] for j, value in enumerate(kind.value)]
    yield table(["value", ""], rows)


def _type(field: FieldDescriptorProto, map_entries: dict[str, DescriptorProto]) -> str:
    name = field.type_name.rpartition(".")[2]
    if name in map_entries:
        key, value = map_entries[name].field
        return f"map of {_type(key, {})} to {_type(value, {})}"
    kind = _link(field.type_name) if field.type_name else FieldDescriptorProto.Type.Name(field.type)[5:].lower()
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {kind}"
    return f"optional {kind}" if field.proto3_optional else kind


def _link(type_name: str) -> str:
    """Link a type of the contract to its section; name others in full."""
    name = type_name.removeprefix(".")
    short = name.removeprefix(f"{_PACKAGE}.")
    return f"[{short}](#{anchor(short)})" if short != name else f"`{name}`"
