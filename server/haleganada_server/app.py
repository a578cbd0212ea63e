"""The composition root: one function builds a whole server from one frozen ServerConfig."""

from __future__ import annotations

import platform
import ssl
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from haleganada_server.config import ServerConfig, Tls
from haleganada_server.core.datasets.datasets import Datasets
from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.glyphs.ports import Embedder
from haleganada_server.core.jobs.jobs import Jobs
from haleganada_server.core.jobs.ports import JobRunner
from haleganada_server.core.jobs.run import JobDependencies
from haleganada_server.core.models.models import Models
from haleganada_server.core.online.learner import LearnerDependencies
from haleganada_server.core.online.learners import Learners
from haleganada_server.core.online.ports import LearnerRunner
from haleganada_server.core.workspaces.dependencies import WorkspaceDependencies
from haleganada_server.core.workspaces.types import WorkspaceInfo
from haleganada_server.core.workspaces.workspaces import Workspaces
from haleganada_server.rpc.datasets import DatasetDependencies
from haleganada_server.rpc.metrics import ServerFacts
from haleganada_server.rpc.server import Domain, Limits, RpcServer
from haleganada_server.runtime.classifier import OnnxClassifier
from haleganada_server.runtime.encoder_pool import EncoderPool, default_worker_count
from haleganada_server.runtime.job_process import JobProcessRunner
from haleganada_server.runtime.learner_process import LearnerProcessRunner
from haleganada_server.runtime.preview_process import PreviewProcess
from haleganada_server.runtime.select import select_embedder
from haleganada_server.runtime.weights import Weights, load_weights
from haleganada_server.store import DataDirectory
from haleganada_server.store.datasets.allowed_folder import AllowedFolder
from haleganada_server.store.datasets.folders import DatasetFolders
from haleganada_server.store.datasets.uploads import Uploads
from haleganada_server.store.jobs import JobFolders
from haleganada_server.store.learners import LearnerFolders
from haleganada_server.store.models import ModelFolders
from haleganada_server.vision import PillowRasterizer, dataset_raster, model_input, network_input

_COMPONENTS = {"server": "haleganada", **{name: name for name in ("grpcio", "numpy", "onnxruntime", "pillow")}}


@dataclass(frozen=True, slots=True, eq=False)
class App:
    """A whole server that has taken its port and opened its workspaces. start() it once, stop() it once."""

    config: ServerConfig
    directory: DataDirectory
    workspaces: Workspaces
    models: Models
    dataset_dependencies: DatasetDependencies
    jobs: Jobs
    embedder: Embedder
    encoder_pool: EncoderPool | None
    weights: Weights
    server: RpcServer
    port: int

    @property
    def address(self) -> str:
        """HOST:PORT that it listens on, for example "127.0.0.1:50051" or "[::1]:50051"."""
        host = self.config.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def datasets(self) -> Datasets:
        """The data sets that jobs and callers use."""
        return self.dataset_dependencies.datasets

    def start(self) -> None:
        """Answer calls from now on."""
        self.jobs.start()
        domain = Domain(self.workspaces, self.models, self.dataset_dependencies, self.jobs)
        self.server.serve(domain, self.directory.temporary_file, self._facts(), self.config.reflection)

    def stop(self, grace_s: float) -> bool:
        """Let calls in progress finish for at most grace_s seconds, then close everything; True if all finished."""
        self.jobs.stop()  # its watchers would not finish within any grace
        finished = self.server.stop(grace_s)
        self.jobs.close()
        self.workspaces.close()
        if self.encoder_pool:
            self.encoder_pool.close()
        return finished

    def _facts(self) -> ServerFacts:
        weights = self.weights
        described = (self.embedder.hash, weights.side, weights.parameters, weights.safetensors.stat().st_size)
        return ServerFacts(self.embedder.device, *described, _versions(weights.name))

    def summary(self) -> str:
        """What it serves, in a few words."""
        device = self.embedder.device.split()[0]
        return f"data in {self.config.data_dir}, {device}, {_described(self.workspaces.info())}"


def build_app(config: ServerConfig, runner: JobRunner | None = None, learners: LearnerRunner | None = None) -> App:
    """Check the weights, lock the data directory, take the port, open the workspaces. runner, learners: carry out jobs,
    and learn along with workspaces; None = processes of this installation.

    Raises Precondition, saying what to do, if any of that cannot be done; nothing is left open then.
    """
    weights = load_weights(config.weights_dir)
    tls = _read_tls(config.tls) if config.tls else None
    rasterizer = PillowRasterizer()
    with ExitStack() as undo:
        directory = DataDirectory(config.data_dir, rasterizer)
        undo.callback(directory.close)
        server = RpcServer(_limits(config))
        undo.callback(server.stop, 0)
        port = server.bind(config.host, config.port, tls)
        embedder = select_embedder(weights, config.device, partial(network_input, side=weights.side))
        folders = ModelFolders(config.data_dir / "models", directory.temporary_file, config.built_in_models)
        models = Models(folders, partial(OnnxClassifier, to_input=model_input))
        datasets = Datasets(
            DatasetFolders(config.data_dir / "datasets", directory.temporary_file),
            in_use=lambda dataset_id: jobs.uses_dataset(dataset_id),
        )
        jobs = Jobs(
            JobDependencies(
                store=JobFolders(config.data_dir / "jobs", directory.temporary_file),
                runner=runner or JobProcessRunner(device=config.device),
                datasets=datasets,
                models=models,
                weights=weights.folder,
                backbone_weights=config.backbone_weights,
            )
        )
        pool = _encoder_pool(config, weights, embedder)
        encoder = GlyphEncoder(rasterizer, embedder, pool, max(3, pool.count + 1) if pool else 3)
        along = Learners(
            LearnerDependencies(learners or LearnerProcessRunner(), encoder, dataset_raster, config.backbone_weights),
            LearnerFolders(config.data_dir / "online"),
            partial(_model_folder, models),
        )
        workspaces = Workspaces(WorkspaceDependencies(directory, encoder, weights.head_parameters, models, along))
        tools = _dataset_tools(config, directory, datasets)
        undo.pop_all()
    return App(config, directory, workspaces, models, tools, jobs, embedder, pool, weights, server, port)


def _encoder_pool(config: ServerConfig, weights: Weights, embedder: Embedder) -> EncoderPool | None:
    """Return the pool of encoder workers; None with a GPU, since workers on the CPU would give slightly different
    embeddings, and hardly sooner.
    """
    count = default_worker_count() if config.encoder_workers is None else config.encoder_workers
    on_cpu = embedder.device.startswith("cpu")
    return EncoderPool(weights.folder, count) if count and on_cpu else None


def _model_folder(models: Models, start: str) -> Path | None:
    """Of the model that a network starts from; None for a preset."""
    model = models.find_online_start(start)
    return model.folder if model else None


def _dataset_tools(config: ServerConfig, directory: DataDirectory, datasets: Datasets) -> DatasetDependencies:
    return DatasetDependencies(
        datasets,
        Uploads(config.data_dir / "uploads", config.max_upload_bytes),
        AllowedFolder(config.datasets_from).resolve,
        PreviewProcess(directory.temporary_file),
    )


def _limits(config: ServerConfig) -> Limits:
    return Limits(
        config.workers,
        config.max_waiting,
        config.max_calls,
        config.max_transfers,
        config.max_message_bytes,
        config.max_import_bytes,
        config.max_watchers,
    )


def _read_tls(files: Tls) -> tuple[bytes, bytes]:
    """PEM certificate chain and private key. Raises Precondition unless they fit each other."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(files.certificate, files.key)
        return files.certificate.read_bytes(), files.key.read_bytes()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise Precondition(
            "the TLS certificate and key cannot be read, or do not fit each other; give two PEM files with "
            "--tls-cert and --tls-key",
            StartReason.TLS_UNUSABLE,
        ) from error


def _described(info: WorkspaceInfo) -> str:
    if info.corrupt:
        return f"{info.name}: cannot be read"
    return f"{info.name}: {_counted(info.labels_known, 'label')}, {_counted(info.samples_total, 'sample')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _versions(weights: str) -> dict[str, str]:
    """By component, for Stats."""
    installed = {name: version(package) for name, package in _COMPONENTS.items()}
    return {**installed, "python": platform.python_version(), "weights": weights}
