"""One channel to one server: deadlines on every call, retries that cannot teach twice, TLS and token where they are
given.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from .errors import Unavailable, from_rpc

MAX_MESSAGE_BYTES = 16 * 2**20
_KEEPALIVE_MS = 60_000
_RECONNECT_MS = 2_000  # gRPC's own default grows to two minutes, long after a restarted server is back
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0


@dataclass(frozen=True)
class ClientConfig:
    """Where the server is and how to talk to it."""

    target: str = "127.0.0.1:50051"
    """HOST:PORT."""
    workspace: str = "default"
    """The workspace that is meant where none is named."""
    token: str = ""
    """Sent as a bearer token; only over TLS or to this machine."""
    ca: Path | None = None
    """PEM file of certificate authorities to trust; given = TLS."""
    timeout_s: float = 10.0
    """Deadline of a call, retries included."""

    @classmethod
    def from_environment(cls) -> ClientConfig:
        """HALEGANADA_TARGET, HALEGANADA_WORKSPACE, HALEGANADA_TOKEN and HALEGANADA_CA; the one place that reads
        them.
        """
        ca = os.environ.get("HALEGANADA_CA")
        return cls(
            target=os.environ.get("HALEGANADA_TARGET", cls.target),
            workspace=os.environ.get("HALEGANADA_WORKSPACE", cls.workspace),
            token=os.environ.get("HALEGANADA_TOKEN", cls.token),
            ca=Path(ca) if ca else None,
        )


class Connection:
    """A channel. Safe from any thread; to be made after a process has forked."""

    def __init__(self, config: ClientConfig) -> None:
        self.config = config
        self.channel = _channel(config)
        self._metadata = (("authorization", f"Bearer {config.token}"),) if config.token else ()

    def call(self, method: Callable[..., Any], request: Any, timeout_s: float | None = None) -> Any:
        """One unary call. While the server is unavailable it is repeated until the deadline, with the same request."""
        deadline = time.monotonic() + (timeout_s or self.config.timeout_s)
        pause = _FIRST_PAUSE_S
        while True:
            left = max(0.001, deadline - time.monotonic())
            try:
                return method(request, timeout=left, metadata=self._metadata)
            except grpc.RpcError as rpc_error:
                error = from_rpc(rpc_error, self.config.target)
                pause = min(_LONGEST_PAUSE_S, 2 * pause) * random.uniform(0.5, 1.0)
                # A server that never answered is not waited for: people should hear at once that it is not there.
                if not isinstance(error, Unavailable) or not error.reason or time.monotonic() + pause > deadline:
                    raise error from None
                time.sleep(error.retry_after_s or pause)

    def stream(self, method: Callable[..., Any], request: Any, timeout_s: float) -> Iterator[Any]:
        """A call that answers with a stream; it is not repeated."""
        try:
            yield from method(request, timeout=timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            raise from_rpc(error, self.config.target) from None

    def close(self) -> None:
        """End the channel and the calls on it."""
        self.channel.close()


def _channel(config: ClientConfig) -> grpc.Channel:
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_permit_without_calls", 0),
        ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS),
    ]
    if config.ca is None:
        return grpc.insecure_channel(config.target, options)
    return grpc.secure_channel(config.target, grpc.ssl_channel_credentials(config.ca.read_bytes()), options)
