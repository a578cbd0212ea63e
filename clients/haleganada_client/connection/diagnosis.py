"""Why a server cannot be reached, in a sentence that says what to do: found out by asking what listens there.

gRPC says little more than "failed to connect", in words that change between its versions. A connection of our own tells
a server with TLS from one without, a certificate of another host from one of an unknown authority, a web page from
nobody. Nothing but the greeting of HTTP/2 is sent. It is only called after a call has failed.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import ClientConfig

_TIMEOUT_S = 1.0
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"  # with an empty SETTINGS frame
_SETTINGS = 4  # the type of the frame with which a server answers it
_PROXY_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy")  # in gRPC's order
_NO_PROXY_VARIABLES = ("no_grpc_proxy", "no_proxy")
_OTHER_HOST = (62, 64)  # OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH
_NOT_NOW = {9: "is not valid yet", 10: "has expired"}
_TARGET = re.compile(
    r"(?:(?:dns:(?://[^/]*/)?|ipv[46]:))?(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^\[\]:/]+)):(?P<port>[0-9]{1,5})"
)


def split_target(target: str) -> tuple[str, int] | None:
    """Return host and port of HOST:PORT, whose IPv6 address has brackets; None for a target of any other form."""
    match = _TARGET.fullmatch(target)
    if match is None or not 0 < int(match["port"]) < 65536:
        return None
    return match["v6"] or match["host"], int(match["port"])


def is_this_machine(target: str) -> bool:
    """Return True for a target that no other machine can answer: the loopback interface, or a Unix socket."""
    if target.startswith("unix:"):
        return True
    host = (split_target(target) or (target.rpartition(":")[0].strip("[]"), 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
    return address.is_loopback or address.is_unspecified


def find_proxy(target: str) -> tuple[str, str] | None:
    """Return the environment variable that makes gRPC use a proxy for a target, and its value; None if none does."""
    found = next(((name, os.environ[name]) for name in _PROXY_VARIABLES if os.environ.get(name)), None)
    if found is None or is_this_machine(target):
        return None
    exceptions = next((os.environ[name] for name in _NO_PROXY_VARIABLES if os.environ.get(name)), "")
    host = (split_target(target) or (target, 0))[0]
    suffixes = [part.strip().lstrip("*") for part in exceptions.split(",") if part.strip()]
    return None if any(host.endswith(suffix) for suffix in suffixes) else found


def is_listening(target: str) -> bool:
    """Return whether somebody listens at a target right now; False for a target whose form tells no host and port."""
    where = split_target(target)
    if where is None:
        return False
    try:
        socket.create_connection(where, _TIMEOUT_S).close()
    except OSError:
        return False
    return True


def explain_failure(config: ClientConfig) -> str:
    """Return why no call reaches the server, and what to do; "" if what listens there is right, or nobody does."""
    if proxy := find_proxy(config.target):
        name, value = proxy
        return (
            f"{config.target} cannot be reached through the proxy {_without_password(value)}, which the environment "
            f"variable {name} names; add the host to no_proxy, or unset {name}"
        )
    where = split_target(config.target)
    if where is None:
        return ""
    try:
        return _explain_tls(config, where) if config.uses_tls else _explain_plain(config.target, where)
    except OSError:  # nobody there, or it goes away meanwhile: gRPC has said so
        return ""


def _connect(where: tuple[str, int]) -> socket.socket:
    """Return a connection that is to speak TLS. Raises OSError."""
    connection = socket.create_connection(where, _TIMEOUT_S)
    try:
        connection.getpeername()  # raises if it has ended already; wrap_socket() would leave its socket open then
    except OSError:
        connection.close()
        raise
    return connection


def _explain_plain(target: str, where: tuple[str, int]) -> str:
    with socket.create_connection(where, _TIMEOUT_S) as connection:
        answer = _greet(connection)
    if answer.startswith(b"HTTP/"):
        return _describe_web_page(target)
    if answer is _SILENCE or _is_http2(answer):
        return ""
    try:
        with _connect(where) as connection, _trust_all().wrap_socket(connection):
            pass
    except ssl.SSLError as error:
        if "ALERT" not in (error.reason or ""):  # it wants something else of us, in TLS
            return ""
    return (
        f"the server at {target} expects TLS; give the setting ca (or $HALEGANADA_CA), a PEM file of the certificate "
        "authorities to trust, or the setting tls to trust the public ones"
    )


def _explain_tls(config: ClientConfig, where: tuple[str, int]) -> str:
    try:
        with (
            _connect(where) as connection,
            make_tls_context(config).wrap_socket(connection, server_hostname=where[0]) as tls,
        ):
            answer = _greet(tls)
    except ssl.SSLCertVerificationError as error:
        return _describe_certificate(config, where[0], error)
    except (ssl.SSLError, TimeoutError, ConnectionError):
        return _explain_no_tls(config.target, where)
    if answer.startswith(b"HTTP/"):
        return _describe_web_page(config.target)
    if answer is _SILENCE or _is_http2(answer) or config.cert:
        return ""
    return (
        f"the server at {config.target} asks for a certificate of yours; give the setting cert and the setting key (or "
        "$HALEGANADA_CERT and $HALEGANADA_KEY)"
    )


def _explain_no_tls(target: str, where: tuple[str, int]) -> str:
    with socket.create_connection(where, _TIMEOUT_S) as connection:
        answer = _greet(connection)
    if answer.startswith(b"HTTP/"):
        return _describe_web_page(target)
    if not _is_http2(answer):
        return ""
    return (
        f"the server at {target} speaks without TLS; leave out the setting tls, the setting ca and the setting cert "
        "(and unset $HALEGANADA_CA and $HALEGANADA_CERT), or start it with --tls-cert and --tls-key"
    )


def _describe_certificate(config: ClientConfig, host: str, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _OTHER_HOST:
        return (
            f"the certificate of the server at {config.target} is for another host, not for {host}; name the server "
            "by a host that its certificate names, or give it a certificate for this one"
        )
    if error.verify_code in _NOT_NOW:
        problem = f"the certificate of the server at {config.target} {_NOT_NOW[error.verify_code]}"
        return f"{problem}; renew it there, or set this machine's clock right"
    asked = f"the setting ca {config.ca}" if config.ca else "the setting tls"
    return (
        f"no certificate authority that {asked} trusts signed the certificate of the server at {config.target}; name a "
        "PEM file of the right authority with the setting ca or $HALEGANADA_CA (for a self-signed certificate, the "
        "certificate itself)"
    )


def _describe_web_page(target: str) -> str:
    return (
        f"a web page answers at {target}, not the server, which has a port of its own: 50051, unless --listen of "
        "`haleganada serve` or `haleganada up` says another"
    )


_SILENCE = b"silence"


def _greet(connection: socket.socket) -> bytes:
    """Return the beginning of what is answered to the greeting of HTTP/2: b"" if it is to end the connection, _SILENCE
    if nothing comes in time.
    """
    connection.settimeout(_TIMEOUT_S)
    try:
        connection.sendall(_GREETING)
        return connection.recv(64)
    except TimeoutError:
        return _SILENCE
    except (ConnectionError, ssl.SSLError):
        return b""


def _is_http2(answer: bytes) -> bool:
    return len(answer) > 3 and answer[3] == _SETTINGS


def _trust_all() -> ssl.SSLContext:
    """Return a context to find out whether there is TLS at all; nothing secret is sent through it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


def make_tls_context(config: ClientConfig) -> ssl.SSLContext:
    """Return a context that trusts and shows what the configuration names. Raise OSError for files that cannot be read,
    which includes ssl.SSLError for those that are no PEM files or do not belong together.
    """
    context = ssl.create_default_context(cafile=config.ca)
    context.set_alpn_protocols(["h2"])
    if config.cert and config.key:
        context.load_cert_chain(config.cert, config.key, password="")  # else it would ask on the terminal
    return context


def _without_password(proxy: str) -> str:
    return re.sub(r"//[^/@]*@", "//", proxy)
