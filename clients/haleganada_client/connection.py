"""One channel to one server: deadlines on every call, retries that cannot teach twice, TLS and token where they are
given.

What is repeated: a call that the server refused because it is stopping, and one whose connection broke before the
answer came, until the deadline and with the same request_id. What is not: a call to an address where nobody listens,
because people should hear at once that the server is not there; a call that is not safe to repeat (call_once).

A call that may work for minutes has no right to wait as long for a server that cannot be reached: before the first such
call the server is asked for a sign of life, within the deadline of the others.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from haleganada_client.limits import MAX_MESSAGE_BYTES

from . import health
from .errors import NO_SERVER, InvalidInput, Unavailable, from_rpc

_KEEPALIVE_MS = 60_000
_RECONNECT_MS = 2_000  # gRPC's own default grows to two minutes, long after a restarted server is back
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_OUT_OF_REACH = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClientConfig:
    """Where the server is and how to talk to it."""

    target: str = "127.0.0.1:50051"
    """HOST:PORT."""
    workspace: str = "default"
    """The workspace that is meant where none is named."""
    token: str = ""
    """Sent as a bearer token; refused without TLS unless the server is on this machine."""
    tls: bool = False
    """Encrypt, and check the server's certificate against the authorities that gRPC brings."""
    ca: Path | None = None
    """PEM file of the authorities to trust instead; given = TLS."""
    timeout_s: float = 10.0
    """Deadline of a call in seconds, above 0, retries included; of calls that may work for longer, the longest wait
    until the server is reached.
    """
    retry: bool = True
    """Repeat calls as the module says. False: every failure is reported at once."""

    @classmethod
    def from_environment(cls) -> ClientConfig:
        """HALEGANADA_TARGET, HALEGANADA_WORKSPACE, HALEGANADA_TOKEN and HALEGANADA_CA; the one place that reads
        them. An empty variable counts as absent.
        """
        ca = os.environ.get("HALEGANADA_CA")
        return cls(
            target=os.environ.get("HALEGANADA_TARGET") or cls.target,
            workspace=os.environ.get("HALEGANADA_WORKSPACE") or cls.workspace,
            token=os.environ.get("HALEGANADA_TOKEN") or cls.token,
            ca=Path(ca) if ca else None,
        )


class Connection:
    """A channel. Safe from any thread; to be made after a process has forked."""

    def __init__(self, config: ClientConfig) -> None:
        """Raises InvalidInput for a token that would travel in the clear, OSError for a `ca` that cannot be read."""
        self.config = config
        self.channel = _channel(config)
        self._metadata = (("authorization", f"Bearer {config.token}"),) if config.token else ()
        self._reached = False

    def call(self, method: Callable[..., Any], request: Any, timeout_s: float | None = None) -> Any:
        """One call that is safe to repeat: it only reads, or its request_id makes the server answer it once."""
        deadline = time.monotonic() + (timeout_s or self.config.timeout_s)
        attempt = 1
        while True:
            try:
                return self.call_once(method, request, max(0.001, deadline - time.monotonic()))
            except Unavailable as error:
                if error.reason == NO_SERVER and attempt == 1:
                    raise
                pause = error.retry_after_s or _pause(attempt)
                if not self.config.retry or time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)
                attempt += 1

    def call_once(self, method: Callable[..., Any], request: Any, timeout_s: float | None = None) -> Any:
        """One call that is never repeated. request: a message, or an iterator of messages."""
        began, timeout_s = time.monotonic(), timeout_s or self.config.timeout_s
        try:
            self._reach(timeout_s)
            return method(request, timeout=timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            raise from_rpc(error, self.config.target) from None
        finally:
            _log.debug("%s: %.1f ms", type(request).__name__, 1000 * (time.monotonic() - began))

    def stream(self, method: Callable[..., Any], request: Any, timeout_s: float) -> Iterator[Any]:
        """A call that answers with a stream; it is not repeated. Whoever stops reading ends it."""
        call = None
        try:
            self._reach(timeout_s)
            call = method(request, timeout=timeout_s, metadata=self._metadata)
            yield from call
        except grpc.RpcError as error:
            raise from_rpc(error, self.config.target) from None
        finally:
            if call is not None:
                call.cancel()

    def _reach(self, timeout_s: float) -> None:
        """Before the first call with a longer deadline than others: is the server there? Raises grpc.RpcError."""
        if self._reached or timeout_s <= self.config.timeout_s:
            return
        try:
            health.check(self.channel, self.config.timeout_s)
        except grpc.RpcError as error:
            if error.code() in _OUT_OF_REACH:  # any other answer is a sign of life, too
                raise
        self._reached = True

    def close(self) -> None:
        """End the channel and the calls on it."""
        self.channel.close()


def _pause(attempt: int) -> float:
    """Seconds to wait after an attempt (1, 2, ...): doubling, with jitter so that many clients do not come at once."""
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(attempt, 10))
    return random.uniform(longest / 2, longest)


def _channel(config: ClientConfig) -> grpc.Channel:
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_permit_without_calls", 0),
        ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS),
    ]
    plain = grpc.Compression.NoCompression  # drawings are compressed already
    if not config.tls and config.ca is None:
        _refuse_to_show(config)
        return grpc.insecure_channel(config.target, options, plain)
    authorities = config.ca.read_bytes() if config.ca else None
    return grpc.secure_channel(config.target, grpc.ssl_channel_credentials(authorities), options, plain)


def _refuse_to_show(config: ClientConfig) -> None:
    if config.token and not _is_this_machine(config.target):
        raise InvalidInput(
            f"the token would travel to {config.target} for everybody to read; use TLS: name the server's certificate "
            "authority in HALEGANADA_CA",
            "TOKEN_WITHOUT_TLS",
            "token",
        )


def _is_this_machine(target: str) -> bool:
    if target.startswith("unix:"):
        return True
    host = target.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
