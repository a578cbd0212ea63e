"""What a configuration comes to: the channel to the server, with TLS and a token where they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc

from haleganada_client.errors import InvalidInput
from haleganada_client.limits import MAX_MESSAGE_BYTES

from .config import ClientConfig
from .diagnosis import is_this_machine, make_tls_context, split_target

# A connection that answers no ping within five seconds is given up, on Linux also one that does not even acknowledge
# what was sent; its calls fail, and are repeated on a new one.
_KEEPALIVE_MS, _KEEPALIVE_ANSWER_MS = 20_000, 5_000
# gRPC's own pauses grow to two minutes, long after a restarted server is back.
_FIRST_RECONNECT_MS, _LAST_RECONNECT_MS = 100, 1_000
_MAX_TOKEN_CHARS = 8192  # gRPC refuses 16 KiB of metadata


@dataclass(frozen=True)
class Access:
    """What a configuration comes to, checked and read. credentials: None without TLS. token: "" for none."""

    config: ClientConfig
    credentials: grpc.ChannelCredentials | None
    token: str

    def open_channel(self, maker: Any) -> Any:
        """Return a new channel. maker: the module grpc or grpc.aio."""
        target = self.config.target
        options = [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", _KEEPALIVE_ANSWER_MS),
            ("grpc.http2.ping_timeout_ms", _KEEPALIVE_ANSWER_MS),  # of pings that measure the line: a minute by default
            ("grpc.keepalive_permit_without_calls", 0),
            ("grpc.http2.max_pings_without_data", 0),  # of a stream that only receives; by default one a minute
            ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
            ("grpc.max_reconnect_backoff_ms", _LAST_RECONNECT_MS),
            ("grpc.use_local_subchannel_pool", 1),  # or a new channel would share the connection of an old one
            ("grpc.enable_http_proxy", 0 if is_this_machine(target) else 1),  # gRPC asks proxies even for loopback
        ]
        plain = grpc.Compression.NoCompression  # drawings are compressed already
        if self.credentials is None:
            return maker.insecure_channel(target, options, plain)
        return maker.secure_channel(target, self.credentials, options, plain)


def prepare_access(config: ClientConfig) -> Access:
    """Raise InvalidInput for an address without a port, a token that cannot be sent or would be sent unencrypted, and
    files that are no certificates or keys; OSError for files that cannot be read.
    """
    _check_target(config.target)
    token = _check_token(config)
    return Access(config, _read_credentials(config) if config.uses_tls else None, token)


def _read_credentials(config: ClientConfig) -> grpc.ChannelCredentials:
    if (config.cert is None) != (config.key is None):
        given, missing = ("cert", "key") if config.cert else ("key", "cert")
        raise InvalidInput(
            f"the setting {given} needs the setting {missing}: a certificate and its private key",
            "INVALID_INPUT",
            missing,
        )
    authorities, key, cert = (path.read_bytes() if path else None for path in (config.ca, config.key, config.cert))
    try:
        make_tls_context(config)
    except OSError as error:  # gRPC would only say that nobody answers
        files = ", ".join(str(path) for path in (config.ca, config.cert, config.key) if path)
        raise InvalidInput(
            f"{files}: not usable for TLS ({error.strerror or error}); the setting ca (or $HALEGANADA_CA) needs a PEM "
            "file of certificates, the setting cert a certificate, and the setting key its key, without a passphrase",
            "INVALID_INPUT",
            "ca" if config.cert is None else "cert",
        ) from None
    return grpc.ssl_channel_credentials(authorities, key, cert)


def _check_target(target: str) -> None:
    if target.startswith(("unix:", "unix-abstract:", "xds:")) or split_target(target):
        return
    example = "for example 127.0.0.1:50051"
    if "://" in target and not target.startswith("dns:"):
        problem = f"the server is given by a web address, {target}; give HOST:PORT without http://, {example}"
    elif target.count(":") > 1 and "[" not in target:
        problem = f"{target} is not HOST:PORT; write an IPv6 address in brackets, for example [::1]:50051"
    elif ":" not in target.rpartition("]")[2]:
        problem = f"{target} names no port; give HOST:PORT, {example}"
    else:
        problem = f"{target} is not HOST:PORT, with a port from 1 to 65535; give {example}"
    raise InvalidInput(f"{problem} (the setting target or $HALEGANADA_TARGET)", "INVALID_INPUT", "target")


def _check_token(config: ClientConfig) -> str:
    """Return the token as it can be sent: without the end of the line that a file of it has."""
    token = config.token.rstrip("\r\n")
    for position, character in enumerate(token, 1):
        if not " " <= character <= "~":
            raise InvalidInput(
                f"the token contains a character that cannot be sent (U+{ord(character):04X}, position {position}); "
                "copy it again: tokens consist of ASCII letters, digits and signs",
                "INVALID_INPUT",
                "token",
            )
    if len(token) > _MAX_TOKEN_CHARS:
        problem = f"the token is longer than {_MAX_TOKEN_CHARS:,} characters; check the setting token"
        raise InvalidInput(problem, "INVALID_INPUT", "token")
    if token and not config.uses_tls and not is_this_machine(config.target):
        raise InvalidInput(
            f"the token would be sent to {config.target} unencrypted; use TLS: give the setting ca (or "
            "$HALEGANADA_CA), a PEM file of the server's certificate authority",
            "TOKEN_WITHOUT_TLS",
            "token",
        )
    return token
