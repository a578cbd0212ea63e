"""Tokens for tests, made as `haleganada tokens` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import grpc
from haleganada.v1 import ocr_service_pb2, ocr_service_pb2_grpc
from haleganada_server.core.access.identity import Role
from haleganada_server.core.access.tokens import Token, make_token
from haleganada_server.store.tokens import TokenFile

from tests.support.waiting import wait_until

Metadata = tuple[tuple[str, str], ...]


def add_token(data: Path, name: str, role: Role, *workspaces: str, days: float | None = 1.0) -> str:
    """Add a token to a data directory; return what its owner shows."""
    made, shown = make_token(name, role, workspaces, days)
    TokenFile(data).change(lambda before: [*before, made])
    return shown


def revoke_token(data: Path, name: str) -> None:
    """Revoke the tokens of a name."""

    def revoke(before: Sequence[Token]) -> Sequence[Token]:
        return [token.revoke() if token.name == name else token for token in before]

    TokenFile(data).change(revoke)


def bearing(shown: str) -> Metadata:
    """The metadata of a call that shows a token."""
    return (("authorization", f"Bearer {shown}"),)


class _Bearer(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Shows a token in every call."""

    def __init__(self, shown: str) -> None:
        self._metadata = bearing(shown)

    def _call(self, continuation, details, request):  # type: ignore[no-untyped-def]
        return continuation(details._replace(metadata=self._metadata), request)

    intercept_unary_unary = intercept_unary_stream = _call
    intercept_stream_unary = intercept_stream_stream = _call


def with_token(channel: grpc.Channel, shown: str) -> grpc.Channel:
    """The channel of somebody who has a token."""
    return grpc.intercept_channel(channel, _Bearer(shown))


def wait_until_known(channel: grpc.Channel, shown: str) -> None:
    """Wait until a running server has heard of a token that was added."""
    calls = ocr_service_pb2_grpc.OCRServiceStub(with_token(channel, shown))

    def is_known() -> bool:
        try:
            calls.Stats(ocr_service_pb2.StatsRequest())
        except grpc.RpcError as error:
            assert error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
            return error.code() is grpc.StatusCode.PERMISSION_DENIED  # it is for another workspace
        return True

    wait_until(is_known)
