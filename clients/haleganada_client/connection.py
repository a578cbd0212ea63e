"""One channel to one server: a deadline for every call, retries that cannot teach twice, optional TLS and token.

Calls are repeated, with the same request_id and until the deadline, if the server is stopping, or if the connection
broke before the answer came. They are not repeated if nobody listens at the address, because people should know that at
once, and if a repetition would not be safe (call_once).

A call that may take minutes should not wait for minutes until an unreachable server is reported. Before the first such
call, the health check is called with the usual deadline.
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
_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ClientConfig:
    """Where the server is and how to talk to it."""

    target: str = "127.0.0.1:50051"
    """HOST:PORT."""
    workspace: str = "default"
    """The workspace of calls that name none."""
    token: str = ""
    """Sent as a bearer token; refused without TLS unless the server is on this machine."""
    tls: bool = False
    """Use TLS, and verify the server's certificate with gRPC's certificate authorities."""
    ca: Path | None = None
    """PEM file of the certificate authorities to trust instead. It implies TLS."""
    timeout_s: float = 10.0
    """Deadline of a call in seconds, above 0, including retries. For calls that take longer: how long to wait until
    the server is reached.
    """
    retry: bool = True
    """Repeat failed calls if that is safe. False: report every failure at once."""

    @classmethod
    def from_environment(cls) -> ClientConfig:
        """Read HALEGANADA_TARGET, HALEGANADA_WORKSPACE, HALEGANADA_TOKEN and HALEGANADA_CA. No other function reads
        them. An empty variable counts as unset.
        """
        ca = os.environ.get("HALEGANADA_CA")
        return cls(
            target=os.environ.get("HALEGANADA_TARGET") or cls.target,
            workspace=os.environ.get("HALEGANADA_WORKSPACE") or cls.workspace,
            token=os.environ.get("HALEGANADA_TOKEN") or cls.token,
            ca=Path(ca) if ca else None,
        )


class Connection:
    """A channel, usable from any thread. Create it after forking a process, not before."""

    def __init__(self, config: ClientConfig) -> None:
        """Raise InvalidInput for a token that would be sent unencrypted, OSError for a `ca` that cannot be read."""
        self.config = config
        self.channel = _open_channel(config)
        self._metadata = (("authorization", f"Bearer {config.token}"),) if config.token else ()
        self._reached = False

    def call(self, method: Callable[..., Any], request: Any, min_timeout_s: float = 0) -> Any:
        """Make a call that is safe to repeat: it changes nothing, or its request_id makes the server do it once.

        min_timeout_s: the deadline of a call that may take longer than the configuration allows.
        """
        deadline = time.monotonic() + max(min_timeout_s, self.config.timeout_s)
        attempt = 1
        while True:
            try:
                return self._invoke(method, request, max(0.001, deadline - time.monotonic()))
            except Unavailable as error:
                if error.reason == NO_SERVER and attempt == 1:
                    raise
                pause = error.retry_after_s or _backoff_s(attempt)
                if not self.config.retry or time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)
                attempt += 1

    def call_once(self, method: Callable[..., Any], request: Any, min_timeout_s: float = 0) -> Any:
        """Make a call that is never repeated. request: a message, or an iterator of messages; see call."""
        return self._invoke(method, request, max(min_timeout_s, self.config.timeout_s))

    def stream(self, method: Callable[..., Any], request: Any, min_timeout_s: float = 0) -> Iterator[Any]:
        """Make a call that answers with a stream; never repeat it. Closing the iterator cancels the call."""
        timeout_s = max(min_timeout_s, self.config.timeout_s)
        call = None
        try:
            self._check_reachable(timeout_s)
            call = method(request, timeout=timeout_s, metadata=self._metadata)
            yield from call
        except grpc.RpcError as error:
            raise from_rpc(error, self.config.target) from None
        finally:
            if call is not None:
                call.cancel()

    def _invoke(self, method: Callable[..., Any], request: Any, timeout_s: float) -> Any:
        started = time.monotonic()
        try:
            self._check_reachable(timeout_s)
            return method(request, timeout=timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            raise from_rpc(error, self.config.target) from None
        finally:
            _log.debug("%s: %.1f ms", type(request).__name__, 1000 * (time.monotonic() - started))

    def _check_reachable(self, timeout_s: float) -> None:
        """Check before the first call with a longer deadline that the server is there. Raise grpc.RpcError."""
        if self._reached or timeout_s <= self.config.timeout_s:
            return
        try:
            health.check(self.channel, self.config.timeout_s)
        except grpc.RpcError as error:
            if error.code() in _UNREACHABLE:  # any other error comes from a server
                raise
        self._reached = True

    def close(self) -> None:
        """Close the channel and cancel its calls."""
        self.channel.close()


def _backoff_s(attempt: int) -> float:
    """Return the seconds to wait after an attempt (1, 2, ...): doubling, with jitter to spread many clients."""
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(attempt, 10))
    return random.uniform(longest / 2, longest)


def _open_channel(config: ClientConfig) -> grpc.Channel:
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_permit_without_calls", 0),
        ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS),
    ]
    plain = grpc.Compression.NoCompression  # drawings are compressed already
    if not config.tls and config.ca is None:
        _check_token(config)
        return grpc.insecure_channel(config.target, options, plain)
    authorities = config.ca.read_bytes() if config.ca else None
    return grpc.secure_channel(config.target, grpc.ssl_channel_credentials(authorities), options, plain)


def _check_token(config: ClientConfig) -> None:
    if config.token and not _is_this_machine(config.target):
        raise InvalidInput(
            f"the token would be sent to {config.target} unencrypted; use TLS: set HALEGANADA_CA to a PEM file of the "
            "server's certificate authority",
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
