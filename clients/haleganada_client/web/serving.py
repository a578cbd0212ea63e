"""The page behind waitress, a plain threaded server for production."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable

from waitress.server import create_server

from haleganada_client.client import HaleganadaClient
from haleganada_client.errors import HaleganadaError

from .app import create_app
from .transfers import MAX_IMPORT

_THREADS = 16


def run_web(target: str, host: str, port: int, allowed_hosts: Iterable[str], ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. ready is called with the address once the port is bound. Raises
    HaleganadaError.
    """
    with HaleganadaClient(target) as client:  # made here, in the process that serves, never before a fork
        app = create_app(client, allowed_hosts)
        try:
            server = create_server(app, host=host, port=port, threads=_THREADS, max_request_body_size=MAX_IMPORT)
        except OSError as error:
            raise HaleganadaError(
                f"{host}:{port} cannot be had ({error.strerror}); choose another with --port"
            ) from None
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # waitress ends in good order on KeyboardInterrupt
        ready(f"http://{host}:{server.effective_port}")
        server.run()
