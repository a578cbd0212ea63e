"""The composition root: one frozen config in, a server with everything plugged together out. No globals."""

from __future__ import annotations

import platform
from importlib import metadata

import grpc

from haleganada_server.core.drawings import DrawingReader
from haleganada_server.core.errors import Precondition
from haleganada_server.core.workspace import Tools
from haleganada_server.core.workspaces import Workspaces
from haleganada_server.rpc.interceptors import CallMonitor
from haleganada_server.rpc.server import GrpcServer, Limits
from haleganada_server.rpc.server_facts import ServerFacts
from haleganada_server.runtime.select import select_embedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowInkReader, network_input

from .config import ServerConfig


class App:
    """A server that is ready to start. Raises domain errors when it cannot be built."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        weights = load_weights(config.weights)
        embedder = select_embedder(config.device, weights, network_input)
        self.device = embedder.device
        ink = PillowInkReader()
        directory = DataDirectory(config.data, ink)
        self.workspaces = Workspaces(Tools(directory, DrawingReader(ink, embedder), weights.model))
        facts = ServerFacts(embedder.device, embedder.hash, _versions(weights.name), CallMonitor())
        reflect = config.is_loopback if config.reflection is None else config.reflection
        self._server = GrpcServer(self.workspaces, directory, facts, Limits(config.workers), reflect)

    def start(self) -> str:
        """Bind and answer; the address, HOST:PORT. Raises Precondition if it cannot be had."""
        try:
            port = self._server.bind(self._config.listen, _credentials(self._config))
        except RuntimeError:
            self.workspaces.close()
            raise Precondition(
                f"{self._config.listen} cannot be had; if another program uses the port, choose one with --listen",
                "ADDRESS_IN_USE",
            ) from None
        self._server.start()
        return f"{self._config.host}:{port}"

    def stop(self) -> None:
        """Let calls in progress finish within the grace, then close the data directory."""
        self._server.stop(self._config.grace_s)
        self.workspaces.close()


def _credentials(config: ServerConfig) -> grpc.ServerCredentials | None:
    if config.tls_certificate is None or config.tls_key is None:
        return None
    pair = (config.tls_key.read_bytes(), config.tls_certificate.read_bytes())
    return grpc.ssl_server_credentials([pair])


def _versions(weights: str) -> dict[str, str]:
    """By component, for Stats."""
    names = {"server": "haleganada", "grpc": "grpcio", "onnxruntime": "onnxruntime", "numpy": "numpy"}
    installed = {key: metadata.version(name) for key, name in names.items()}
    return {**installed, "python": platform.python_version(), "weights": weights}
