"""The settings of a server: one frozen object, made from flags in serve.py or by a test, and read by app.py alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from haleganada_server.core.limits import MAX_IMPORT_BYTES, MAX_MESSAGE_BYTES, MAX_UPLOAD_BYTES

SHIPPED_WEIGHTS = Path(__file__).with_name("weights")
SHIPPED_MODELS = (SHIPPED_WEIGHTS / "starter",)
"""Models that every server has: digits and small letters, so that one can draw at once."""


@dataclass(frozen=True, slots=True)
class Tls:
    """certificate: PEM file with the server's certificate chain. key: PEM file with its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What a server is started with."""

    data_dir: Path
    """Folder that holds everything taught; created if it is not there. One server at a time."""
    host: str = "127.0.0.1"
    """Name or address of the interface to listen on."""
    port: int = 50051
    """TCP port, 0 to 65535; 0 lets the system choose one."""
    device: str = "auto"
    """What computes embeddings: "auto", "cpu" or "cuda:N"."""
    weights_dir: Path = SHIPPED_WEIGHTS
    """Folder with the weights and their card.json."""
    tls: Tls | None = None
    """Certificate and key; None for plain text."""
    reflection: bool = False
    """Whether clients may ask for the contract."""
    workers: int = 16
    """Threads that carry out calls, 2 or more."""
    max_waiting: int = 64
    """Calls that may wait for a thread before the server answers RESOURCE_EXHAUSTED."""
    max_calls: int = 512
    """Calls in progress at once, waiting ones included, above which the transport itself refuses."""
    max_transfers: int = 4
    """Exports and imports in progress at once; each takes one of the threads."""
    max_watchers: int = 6
    """Clients that watch a job at once; each takes one of the threads, of which at least half are left to others."""
    max_message_bytes: int = MAX_MESSAGE_BYTES
    """Size of one request or response in bytes."""
    max_import_bytes: int = MAX_IMPORT_BYTES
    """Size of one imported file in bytes."""
    max_upload_bytes: int = MAX_UPLOAD_BYTES
    """Size of one uploaded data set in bytes."""
    datasets_from: Path | None = None
    """Folder of this machine from which callers may have data sets read; None = from none."""
    backbone_weights: Path | None = None
    """File of weights from ImageNet for presets that start from them; None = torchvision's loader."""
    built_in_models: tuple[Path, ...] = SHIPPED_MODELS
    """Folders of models that are there without being trained; each one's name is the model's id."""
    encoder_workers: int | None = None
    """Processes that encode drawings under many concurrent calls; None = one per core, none on a single core; 0 = none.
    Not used where a GPU computes embeddings."""
