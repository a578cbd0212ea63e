"""The page that Prometheus fetches: GET /metrics."""

from __future__ import annotations

import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

from haleganada_server.app import App
from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition

from .collector import ServerCollector

PATH = "/metrics"
_PATIENCE_S = 10.0  # for a request that does not arrive


class MetricsPage:
    """An HTTP server of its own, in threads of this process. close() it once."""

    def __init__(self, app: App, host: str, port: int) -> None:
        """Listen at once. port: 0 = any. Raises Precondition if the address cannot be had."""
        registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector):
            collector(registry=registry)
        registry.register(ServerCollector(app))
        try:
            self._server = _Server(host, port, registry)
        except OSError as error:
            raise Precondition(
                f"cannot listen on {host}:{port} for metrics ({(error.strerror or 'not an address').lower()}); choose "
                "another address with --metrics",
                StartReason.CANNOT_LISTEN,
            ) from error
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    @property
    def url(self) -> str:
        """Where the metrics are."""
        host, port = self._server.server_address[:2]
        shown = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"http://{shown}:{port}{PATH}"

    def close(self) -> None:
        """Answer no longer."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.collecting = threading.Lock()  # whoever asks often must not make the server work more
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking the network for this machine's name, as http.server would."""
        TCPServer.server_bind(self)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE_S
    server_version, sys_version = "haleganada", ""

    def do_GET(self) -> None:
        """Write all metrics."""
        if urlsplit(self.path).path != PATH:
            self.send_error(HTTPStatus.NOT_FOUND, "the metrics are at /metrics")
            return
        encode, content_type = choose_encoder(self.headers.get("Accept", ""))
        with self.server.collecting:
            body = encode(self.server.registry)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log no request: there is one every few seconds."""
