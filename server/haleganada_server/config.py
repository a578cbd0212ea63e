"""The settings of a server: one frozen object, made from flags in serve.py or by a test, and used by app.py alone."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from haleganada_server.core.limits import MAX_IMPORT_BYTES, MAX_MESSAGE_BYTES, MAX_UPLOAD_BYTES

SHIPPED_WEIGHTS = Path(__file__).with_name("weights")
SHIPPED_MODELS = (SHIPPED_WEIGHTS / "starter",)
"""Models that every server has: digits and small letters, to draw right away."""


@dataclass(frozen=True, slots=True)
class Tls:
    """certificate: PEM file with the server's certificate chain. key: PEM file with its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The settings that a server is started with."""

    data_dir: Path
    """Folder of everything that is taught; created if missing. One server at a time can use it."""
    _: KW_ONLY
    host: str = "127.0.0.1"
    """Name or address of the interface to listen on."""
    port: int = 50051
    """TCP port, 0 to 65535; 0 lets the system choose one."""
    device: str = "auto"
    """What computes embeddings: "auto", "cpu" or "cuda:N"."""
    weights_dir: Path = SHIPPED_WEIGHTS
    """Folder with the weights and their card.json."""
    tls: Tls | None = None
    """Certificate and key; None = no TLS."""
    reflection: bool = False
    """Whether gRPC reflection tells clients the contract."""
    workers: int = 16
    """Threads that answer calls, 2 or more."""
    max_waiting: int = 64
    """Calls that may wait for a thread before the server answers RESOURCE_EXHAUSTED."""
    max_calls: int = 512
    """Concurrent calls, waiting ones included, above which the transport itself refuses."""
    max_transfers: int = 4
    """Concurrent exports and imports; each takes one of the threads."""
    max_watchers: int = 6
    """Clients that watch jobs concurrently; each takes one of the threads, at least half of which stay free for others.
    """
    max_message_bytes: int = MAX_MESSAGE_BYTES
    """Maximum size of a request or response in bytes."""
    max_import_bytes: int = MAX_IMPORT_BYTES
    """Maximum size of an imported file in bytes."""
    max_upload_bytes: int = MAX_UPLOAD_BYTES
    """Maximum size of an uploaded data set in bytes."""
    datasets_from: Path | None = None
    """Folder on this machine from which callers may import data sets; None = none."""
    backbone_weights: Path | None = None
    """File of ImageNet weights for presets that start from them; None = torchvision's loader."""
    built_in_models: tuple[Path, ...] = SHIPPED_MODELS
    """Folders of models that every server offers; each folder's name is the model's id."""
    encoder_workers: int | None = None
    """Processes that encode drawings under many concurrent calls; None = one per core, none on a single core; 0 = none.
    Not used where a GPU computes embeddings."""
