"""The health check, grpc.health.v1. Two fields are encoded by hand, which saves a dependency."""

from __future__ import annotations

from typing import Any

SERVING = "SERVING"
_STATES = {0: "UNKNOWN", 1: SERVING, 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}


def make_check(channel: Any) -> Any:
    """Return the method of a channel, blocking or of asyncio, that takes an empty request and returns bytes."""
    return channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=lambda request: request,
        response_deserializer=lambda response: response,
    )


def parse(answer: bytes) -> str:
    """Return SERVING, NOT_SERVING or UNKNOWN."""
    state = answer[1] if answer[:1] == b"\x08" else 0  # field 1, a varint; absent means 0
    return _STATES.get(state, "UNKNOWN")
