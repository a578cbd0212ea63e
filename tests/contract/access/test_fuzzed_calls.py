"""Calls that are made up from the descriptors, with every role: each is answered, or refused as documented."""

from __future__ import annotations

import random
import re
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from tests.contract.access.test_every_rule import METHODS, OURS, PROTO, World, world
from tests.contract.refusals import parse
from tests.support.slow import slow

__all__ = ["world"]
CALLS = [300, *slow(10_000)]
TEXTS = ["", "default", OURS, "nobody’s", "ಅ", "a" * 65, "\u0000", "\u200b", "../../x", "<img src=x>", "1", "few-shot"]
NUMBERS = [0, 1, -1, 2, 50, 51, 256, 257, 60_001, 2**31 - 1, -(2**31)]
REALS = [0.0, 1.0, -1.0, 0.5, 1e-30, 1e30, float("nan"), float("inf")]
CONTENTS = [b"", b"\x89PNG\r\n\x1a\n", b"TINY\na page", b"%PDF-1.7", b"PK\x03\x04", bytes(range(256))]
DEPTH = 5
NEVER = {"INTERNAL"}
REAL_FIELDS = (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE)


def read_documented_statuses() -> dict[str, set[str]]:
    """Return the statuses of each reason, as error_reason.proto tells."""
    found: dict[str, set[str]] = {}
    comment = ""
    for line in (PROTO / "error_reason.proto").read_text(encoding="utf-8").splitlines():
        if value := re.match(r"  ERROR_REASON_(\w+) = ", line):
            found[value[1]] = {code.name for code in grpc.StatusCode if re.search(rf"\b{code.name}\b", comment)}
            comment = ""
        elif line.startswith("  //"):
            comment += line
    return found


def make_up(message: Any, dice: random.Random, depth: int = DEPTH) -> Any:
    """Fill a message with values of the right types, of which few make sense."""
    for field in message.DESCRIPTOR.fields:
        if dice.random() < 0.4:
            continue
        count = dice.choice([0, 1, 1, 2, 3])
        if field.message_type is not None:
            if not depth or field.message_type.GetOptions().map_entry:
                continue
            if field.is_repeated:
                for _ in range(count):
                    make_up(getattr(message, field.name).add(), dice, depth - 1)
            else:
                getattr(message, field.name).SetInParent()
                make_up(getattr(message, field.name), dice, depth - 1)
        elif field.is_repeated:
            getattr(message, field.name).extend(make_value(field, dice) for _ in range(count))
        else:
            setattr(message, field.name, make_value(field, dice))
    return message


def make_value(field: FieldDescriptor, dice: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return dice.choice(TEXTS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return dice.choice(CONTENTS)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return dice.random() < 0.5
    if field.type in REAL_FIELDS:
        return dice.choice(REALS)
    if field.enum_type is not None:
        return dice.choice([*field.enum_type.values_by_number, 99])
    return abs(dice.choice(NUMBERS)) if "UINT" in str(field.cpp_type) else dice.choice(NUMBERS)


def call(world: World, method: Any, requests: list[Any], shown: str) -> None:
    """Make a call and take what is answered, up to a few messages."""
    kind = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
    stub = getattr(world.server.channel, kind)(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    answer = stub(
        iter(requests) if method.client_streaming else requests[0],
        metadata=(("authorization", f"Bearer {shown}"),),
        timeout=20,
    )
    if method.server_streaming:
        for _ in zip(range(5), answer, strict=False):
            pass
        answer.cancel()


@pytest.mark.parametrize("count", CALLS)
def test_whatever_is_called_is_answered_as_documented(world: World, count: int) -> None:
    reasons = read_documented_statuses()
    shown = [token for name, token in world.tokens.items() if name not in ("expired", "revoked")]
    for number in range(count):
        dice = random.Random(number)
        method, token = METHODS[number % len(METHODS)], dice.choice([*shown, "guessed"])
        requests = [make_up(GetMessageClass(method.input_type)(), dice) for _ in range(dice.choice([1, 1, 2, 4]))]
        try:
            call(world, method, requests, token)
        except grpc.RpcError as error:
            found = parse(error)
            told = f"call {number}, {method.name}: {found}"
            assert found.reason not in NEVER and found.code.name in reasons[found.reason], told
            assert found.message and token not in found.message, told
