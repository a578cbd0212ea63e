"""Serve the page with waitress, a threaded WSGI server for production."""

from __future__ import annotations

import ipaddress
import os
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any

from haleganada_client.client import HaleganadaClient
from haleganada_client.connection.config import ClientConfig
from haleganada_client.errors import HaleganadaError, InvalidInput

from .app import create_app
from .connections import ConnectionLimits, make_server
from .single_sign_on import SingleSignOn


def run_web(
    config: ClientConfig,
    host: str,
    port: int,
    allowed_hosts: Iterable[str],
    ready: Callable[[str], None],
    *,
    behind_proxy: bool = False,
    single_sign_on: SingleSignOn | None = None,
    insecure: bool = False,
    stop_with_stdin: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM. config: how to reach the server. ready: called with the address once it is bound.
    stop_with_stdin: stop also when standard input ends.

    allowed_hosts, behind_proxy, single_sign_on: see create_app. insecure: whether other machines may call.
    Raises InvalidInput if they could and that was not said; HaleganadaError if the port cannot be had.
    """
    names = tuple(allowed_hosts)
    is_local = _is_loopback(host)
    if not (is_local or (insecure and names)):
        problem = (
            f"other machines can reach {host}: give --insecure if what they send need not be encrypted (on a server "
            "without tokens, also if all their users may teach and delete), and --allow-host with the name of this "
            "machine that their browsers use; behind a web server with TLS, listen on 127.0.0.1"
        )
        raise InvalidInput(problem, "INVALID_INPUT", "host")
    with HaleganadaClient(config=config) as client:  # made here, in the process that serves, never before a fork
        server = _bind(create_app(client, names, behind_proxy=behind_proxy, single_sign_on=single_sign_on), host, port)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # waitress stops cleanly on KeyboardInterrupt
        if stop_with_stdin:
            threading.Thread(target=_stop_when_stdin_ends, daemon=True).start()
        # 0.0.0.0 means all addresses; a browser needs a name instead.
        ready(f"http://{_in_url(host if is_local else names[0])}:{_bound_port(server)}")
        server.run()


def _stop_when_stdin_ends() -> None:
    """Stop when whoever holds the other end of standard input has ended, in whatever way."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _bind(app: Any, host: str, port: int) -> Any:
    try:
        return make_server(app, host, port, ConnectionLimits())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise HaleganadaError(f"{host}:{port} is not available ({why}); choose another port with --port") from None


def _bound_port(server: Any) -> int:
    """Return the port of the first socket, where a name such as localhost stands for several addresses."""
    listening = getattr(server, "effective_listen", None)
    return int(listening[0][1] if listening else server.effective_port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
