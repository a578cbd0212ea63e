"""The settings of a server: one frozen object, made from flags in serve.py or by a test, and used by app.py alone."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from haleganada_server.core.limits import MAX_IMPORT_BYTES, MAX_MESSAGE_BYTES, MAX_UPLOAD_BYTES
from haleganada_server.core.models.distributed import list_distributed_models
from haleganada_server.core.shares.limits import LAPTOP, ShareLimits

SHIPPED_WEIGHTS = Path(__file__).with_name("weights")
SHIPPED_MODELS = (SHIPPED_WEIGHTS / "starter",)
"""Models that every server has: digits and small letters, to draw right away."""


def find_shipped_models() -> tuple[Path, ...]:
    """Return the folders of these models, and of those whose distributions are installed beside the server's."""
    return (*SHIPPED_MODELS, *list_distributed_models())


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files, read again when they change. certificate: the server's certificate chain. key: its private key.
    client_authorities: of the certificates that clients must show; None = clients need no certificate.
    """

    certificate: Path
    key: Path
    client_authorities: Path | None = None


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The settings that a server is started with."""

    data_dir: Path
    """Folder of everything that is taught; created if missing. One server at a time can use it."""
    _: KW_ONLY
    store: str = field(default="", repr=False)
    """Address of the PostgreSQL database that holds the logs of all workspaces, postgresql://…; "" = data_dir does. May
    hold a password."""
    objects: str = field(default="", repr=False)
    """Folder, or address such as s3://BUCKET/PREFIX, of the files that all servers of the database share; "" = each has
    its own. May hold a key."""
    job_lease_s: float = 15.0
    """Seconds after which a server of the database that is not heard of counts as gone, and its jobs begin again at
    another one."""
    host: str = "127.0.0.1"
    """Name or address of the interface to listen on."""
    port: int = 50051
    """TCP port, 0 to 65535; 0 lets the system choose one."""
    device: str = "auto"
    """What computes embeddings: "auto", "cpu", "cuda:N", or several of the last, separated by commas."""
    device_memory: int | None = None
    """Bytes of each GPU's memory that the embedder may use; None = all."""
    weights_dir: Path = SHIPPED_WEIGHTS
    """Folder with the weights and their card.json."""
    tls: Tls | None = None
    """Certificate and key; None = no TLS."""
    metrics: tuple[str, int] | None = None
    """Address and port of the page that Prometheus fetches; None = there is none."""
    shared_token: str = field(default="", repr=False)
    """A token with the role admin, beside those in the data directory; "" = none."""
    requires_tokens: bool = False
    """Whether to refuse to start without a token, because other machines can reach the server."""
    trace: str = ""
    """Address of a collector of OpenTelemetry that speaks OTLP over gRPC, http:// or https://; "" = there is none."""
    reflection: bool = False
    """Whether gRPC reflection tells clients the contract."""
    workers: int = 16
    """Calls to carry out at once, 2 or more; streams not counted."""
    max_waiting: int = 64
    """Calls that may wait for their turn before the server answers RESOURCE_EXHAUSTED."""
    max_arriving: int = 256
    """Calls whose message is on its way."""
    max_streams: int = 64
    """Streams of all kinds: transfers, watchers of jobs, reflection."""
    max_transfers: int = 16
    """Concurrent exports, imports, uploads and downloads."""
    max_watchers: int = 32
    """Clients that watch jobs concurrently."""
    caller_share: float = 0.25
    """Share of the places above that one connection may hold; a caller may hold three times as much with all of theirs,
    so that there is always room for others. Above 0 to 1.
    """
    shares: ShareLimits = LAPTOP
    """What one caller, one workspace and all of them may use."""
    idle_s: float = 30.0
    """Seconds that a stream may stand still, waiting for its caller to send or to read, before the server ends it."""
    min_bytes_per_s: float = 1024.0
    """A stream that is slower uses up its idle_s."""
    message_s: float = 10.0
    """Seconds that the message of a call without a stream may take to arrive, or longer if min_bytes_per_s is kept."""
    max_message_bytes: int = MAX_MESSAGE_BYTES
    """Maximum size of a request or response in bytes."""
    max_import_bytes: int = MAX_IMPORT_BYTES
    """Maximum size of an imported file in bytes."""
    max_upload_bytes: int = MAX_UPLOAD_BYTES
    """Maximum size of an uploaded data set in bytes."""
    snapshot_quota: int | None = 4 * 2**30
    """Bytes that the snapshots and the trash of one workspace may take; None = no bound."""
    upload_quota: int | None = 2 * MAX_UPLOAD_BYTES
    """Bytes that all unfinished uploads may take; None = no bound."""
    data_quota: int | None = None
    """Bytes that the whole data directory may take before teaching, saving and uploading are refused; None = no bound.
    """
    datasets_from: Path | None = None
    """Folder on this machine from which callers may import data sets; None = none."""
    backbone_weights: tuple[Path, ...] = ()
    """Files of ImageNet weights for presets that start from them, each of one backbone; for others, those of an
    installed package, or torchvision's."""
    built_in_models: tuple[Path, ...] = field(default_factory=find_shipped_models)
    """Folders of models that every server offers; each folder's name is the model's id."""
    readers: int | None = None
    """Processes that read documents, 1 or more; None = one per core. They start at the first document."""
    reader_memory: int | None = 2 * 2**30
    """Bytes that one of them may use, where the system can see to that; None = no bound."""
    reader_page_s: float = 300.0
    """Seconds after which a page that is not read yet is given up."""
    reading_retention_s: float = 24 * 3600.0
    """Seconds until a reading that a caller asked to keep is deleted."""
    reading_quota: int | None = 8 * 2**30
    """Bytes that readings which are kept, and documents on their way, may take; None = no bound."""
    memory_budget: int = 256 * 2**20
    """Bytes for workspaces in memory and remembered predictions together; what is used least recently makes room. What
    calls are using stays in memory even so."""
    file_budget: int | None = None
    """Descriptors for the files of workspaces, which are opened and closed as needed; None = an eighth of what the
    system allows this process, at most 128."""
