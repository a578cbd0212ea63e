"""All settings of a server in one frozen object, read once at the entry point."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SHIPPED_WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Everything that a server needs to know."""

    listen: str = "127.0.0.1:50051"
    """HOST:PORT; port 0 lets the system choose one."""
    data: Path = Path("saved_model")
    """The data directory; created if it does not exist."""
    device: str = "auto"
    """“auto”, “cpu” or “cuda:N”."""
    weights: Path = SHIPPED_WEIGHTS
    """The folder with card.json, embedder.onnx, embedder.safetensors and head.safetensors."""
    insecure: bool = False
    """Allow connections without TLS from other machines."""
    tls_certificate: Path | None = None
    """PEM file of the certificate chain; with tls_key."""
    tls_key: Path | None = None
    """PEM file of the private key."""
    reflection: bool | None = None
    """Answer reflection; None = only on loopback."""
    workers: int = 16
    """Calls answered at the same time."""
    grace_s: float = 10.0
    """Seconds that calls in progress get to finish when the server stops."""

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0]

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        host = self.host.strip("[]")
        return host in ("localhost", "::1") or host.startswith("127.")
