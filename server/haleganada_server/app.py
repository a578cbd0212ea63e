"""The composition root: one function builds a whole server from one frozen ServerConfig."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from haleganada_server.config import ServerConfig
from haleganada_server.core.access.authentication import Authenticator
from haleganada_server.core.datasets.datasets import Datasets
from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Exhausted, NotFound, Precondition, Unavailable
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.glyphs.measured_embedder import MeasuredEmbedder
from haleganada_server.core.glyphs.ports import DeviceState, Embedder
from haleganada_server.core.installation import describe_install
from haleganada_server.core.jobs.jobs import Jobs
from haleganada_server.core.jobs.ports import JobRunner
from haleganada_server.core.jobs.run import JobDependencies
from haleganada_server.core.labels import DEFAULT_WORKSPACE
from haleganada_server.core.measures import CommitMeasures, Measures, no_span
from haleganada_server.core.models.models import Models
from haleganada_server.core.models.presets import ONLINE_PRESETS
from haleganada_server.core.online.learner import LearnerDependencies
from haleganada_server.core.online.learners import Learners
from haleganada_server.core.online.ports import LearnerRunner
from haleganada_server.core.reading.corrections.corrector import PageCorrector
from haleganada_server.core.reading.corrections.open_pages import OpenPages
from haleganada_server.core.reading.corrections.settled_texts import SettledTexts
from haleganada_server.core.reading.expiry import ReadingExpiry
from haleganada_server.core.reading.line_models import LineModels
from haleganada_server.core.reading.measured_pages import MeasuredPages
from haleganada_server.core.reading.ports import PageReader
from haleganada_server.core.reading.readings import Readings
from haleganada_server.core.reading.taught.reader import TaughtReader
from haleganada_server.core.shares.effective import EffectiveLimits
from haleganada_server.core.shares.quotas import Quota
from haleganada_server.core.workspaces.dependencies import WorkspaceDependencies
from haleganada_server.core.workspaces.ports import WorkspaceDirectory
from haleganada_server.core.workspaces.prediction_memory import OtherMemories, PredictionMemory
from haleganada_server.core.workspaces.snapshots.retention import Retention
from haleganada_server.core.workspaces.types import WorkspaceInfo
from haleganada_server.core.workspaces.workspaces import Workspaces
from haleganada_server.rpc.certificates import Certificates
from haleganada_server.rpc.lanes import Limits
from haleganada_server.rpc.metrics import ServerFacts
from haleganada_server.rpc.server import Domain, RpcServer
from haleganada_server.rpc.services.datasets import DatasetDependencies
from haleganada_server.runtime.classifier import OnnxClassifier
from haleganada_server.runtime.processes.job_process import JobProcessRunner
from haleganada_server.runtime.processes.learner_process import LearnerProcessRunner
from haleganada_server.runtime.processes.preview_process import PreviewProcess
from haleganada_server.runtime.processes.reader_pool import READER, ReaderLimits, ReaderPool, default_reader_count
from haleganada_server.runtime.saved_answers import load_saved_answers
from haleganada_server.runtime.select import select_embedder
from haleganada_server.runtime.weights import Weights, load_weights
from haleganada_server.store import DataDirectory
from haleganada_server.store.audit import AuditFile
from haleganada_server.store.datasets.allowed_folder import AllowedFolder
from haleganada_server.store.datasets.folders import DatasetFolders
from haleganada_server.store.datasets.uploads import Uploads
from haleganada_server.store.formats.image_folder import write_drawings
from haleganada_server.store.jobs import JobFolders
from haleganada_server.store.learners import LearnerFolders
from haleganada_server.store.models import ModelFolders
from haleganada_server.store.readings.folders import ReadingFolders
from haleganada_server.store.sample_log.open_files import OpenFiles, default_limit
from haleganada_server.store.share_limits import LimitsFile
from haleganada_server.store.tokens import TokenFile
from haleganada_server.vision import PillowRasterizer, dataset_raster, model_input, network_input
from haleganada_server.vision.frame import frame

if TYPE_CHECKING:
    from haleganada_server.cluster import Cluster
    from haleganada_server.rpc.tracing import Tracing

_COMPONENTS = {"server": "haleganada", **{name: name for name in ("grpcio", "numpy", "onnxruntime", "pillow")}}
_OPTIONAL_COMPONENTS = ("rapidocr", "pypdfium2", "opencv-python-headless")
_PREDICTIONS_SHARE = 8  # of the memory budget, one of so many parts
_OPEN_PAGES_SHARE = 8
_TOGETHER_ON_CPU, _TOGETHER_ON_GPU = 8, 64  # drawings of concurrent calls; on a CPU, more are hardly faster


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class App:
    """A whole server that has bound its port and opened its workspaces. start() it once, stop() it once."""

    config: ServerConfig
    directory: DataDirectory
    store_address: str
    workspaces: Workspaces
    models: Models
    dataset_dependencies: DatasetDependencies
    jobs: Jobs
    readings: Readings
    reader_pool: ReaderPool
    reading_store: ReadingFolders
    reading_expiry: ReadingExpiry
    embedder: Embedder
    describe_device: Callable[[], DeviceState]
    weights: Weights
    measures: Measures
    tracing: Tracing | None
    certificates: Certificates | None
    server: RpcServer
    port: int
    cluster: Cluster | None

    @property
    def address(self) -> str:
        """HOST:PORT that the server listens on, for example "127.0.0.1:50051" or "[::1]:50051"."""
        host = self.config.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def datasets(self) -> Datasets:
        """The data sets that jobs and callers use."""
        return self.dataset_dependencies.datasets

    def start(self) -> None:
        """Answer calls from now on."""
        self.jobs.start()
        self.reading_expiry.start()
        if self.cluster is not None:
            self.cluster.follow(self.models.follow, self.jobs.follow, self.reading_store.follow)
        domain = Domain(
            workspaces=self.workspaces,
            models=self.models,
            datasets=self.dataset_dependencies,
            jobs=self.jobs,
            readings=self.readings,
            list_quotas=self.list_quotas,
        )
        self.server.serve(domain, self.directory.temporary_file, self.collect_facts(), self.config.reflection)

    def stop(self, grace_s: float) -> bool:
        """Let calls in progress finish for at most grace_s seconds, close everything, return whether all finished."""
        self.jobs.stop()  # clients that watch jobs would not finish within any grace
        finished = self.server.stop(grace_s)
        self.jobs.close()
        self.reader_pool.close()
        self.reading_expiry.stop()
        if self.cluster is not None:
            self.cluster.stop_following()
        self.workspaces.close()
        if self.cluster is not None:
            self.cluster.close()
        if self.tracing is not None:
            self.tracing.close()
        return finished

    def summary(self) -> str:
        """Return a few words on what the server serves."""
        device = self.embedder.device.split()[0]
        try:
            described = _describe_workspace(self.workspaces.info())
        except (Exhausted, Unavailable):  # of the machine; the next call tries again
            described = f"{DEFAULT_WORKSPACE}: cannot be opened yet"
        return f"{self._describe_place()}, {device}, {described}"

    def _describe_place(self) -> str:
        if not self.store_address:
            return f"data in {self.config.data_dir}"
        shared = "files in the object store, " if self.config.objects else ""
        return f"what is taught in the {self.store_address}, {shared}all else in {self.config.data_dir}"

    def collect_facts(self) -> ServerFacts:
        """Return what the server runs on."""
        return ServerFacts(
            device=self.embedder.device,
            embedder_hash=self.embedder.hash,
            embedder_side=self.weights.side,
            embedder_parameters=self.weights.parameters,
            embedder_bytes=self.weights.onnx.stat().st_size,
            versions=_collect_versions(self.weights.name),
            describe_device=self.describe_device,
        )

    def list_quotas(self) -> tuple[Quota, ...]:
        """Return the quotas of the server as a whole, and what is used of them."""
        disk = (self.directory.quota_usage(), "data-quota"), (self.reading_store.quota_usage(), "reading-quota")
        return (
            *self.workspaces.list_quotas(),
            *(Quota(name, *usage) for usage, name in disk if usage is not None),
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Recognizers:
    """What recognizes drawings and reads pages, in a process that is no server. close() it once."""

    workspaces: Workspaces
    encoder: GlyphEncoder
    pages: PageReader
    readers: ReaderPool
    cluster: Cluster | None

    def close(self) -> None:
        """End the readers, and close the data directory, and the database if there is one."""
        self.readers.close()
        self.workspaces.close()
        if self.cluster is not None:
            self.cluster.close()


def open_recognizers(config: ServerConfig) -> Recognizers:
    """Lock a data directory and open its workspaces, or those of a database, as a server does, but answer nobody's
    calls, in one of several processes that share the cores. Raises Precondition, saying what to do, if that fails;
    nothing is left open then.
    """
    weights, rasterizer, measures = load_weights(config.weights_dir), PillowRasterizer(), _make_measures(None)
    with ExitStack() as undo:
        directory = DataDirectory(config.data_dir, rasterizer, config.data_quota)
        undo.callback(directory.close)
        to_input = partial(network_input, side=weights.side)
        selected = select_embedder(weights, config.device, to_input, config.device_memory)
        encoder = GlyphEncoder(rasterizer, MeasuredEmbedder(selected.embedder, measures), overlap=1)
        cluster = _open_cluster(config, directory)
        if cluster is not None:
            undo.callback(cluster.close)
        logs = directory if cluster is None else cluster.open_logs(encoder.embedder_hash, measures.commits)
        models = _make_models(config, directory, None)
        workspaces = _open_workspaces(config, logs, encoder, weights, models, None, _read_shares(config))
        undo.pop_all()
    readers = _make_reader_pool(config, directory, READER)
    taught = TaughtReader(readers, encoder, weights.head_parameters, workspaces)
    pages = LineModels(MeasuredPages(taught, measures), models)
    return Recognizers(workspaces=workspaces, encoder=encoder, pages=pages, readers=readers, cluster=cluster)


def build_app(
    config: ServerConfig,
    runner: JobRunner | None = None,
    learners: LearnerRunner | None = None,
    reader: Sequence[str] = READER,
) -> App:
    """Check the weights, lock the data directory, bind the port, open the workspaces. runner, learners: start the
    processes of jobs and of online networks; None = with this installation's Python. reader: the command of a process
    that reads documents.

    Raises Precondition, saying what to do, if any of that fails; nothing is left open then.
    """
    weights = load_weights(config.weights_dir)
    authenticator = _make_authenticator(config)
    shares = _read_shares(config)
    tls = config.tls
    certificates = Certificates(tls.certificate, tls.key, tls.client_authorities) if tls else None
    rasterizer = PillowRasterizer()
    with ExitStack() as undo:
        open_files = OpenFiles(config.file_budget or default_limit())
        tracing = _make_tracing(config.trace)
        if tracing is not None:
            undo.callback(tracing.close)
        measures = _make_measures(tracing)
        directory = DataDirectory(config.data_dir, rasterizer, config.data_quota, open_files, measures.commits)
        undo.callback(directory.close)
        server = RpcServer(_make_limits(config), authenticator, AuditFile(config.data_dir), shares)
        undo.callback(server.stop, 0)
        server.latencies.begin_span = tracing.begin_call if tracing is not None else None
        port = server.bind(config.host, config.port, certificates)
        to_input = partial(network_input, side=weights.side)
        selected = select_embedder(weights, config.device, to_input, config.device_memory)
        embedder = MeasuredEmbedder(selected.embedder, measures)
        encoder = _make_encoder(rasterizer, embedder)
        cluster = _open_cluster(config, directory)
        if cluster is not None:
            undo.callback(cluster.close)
        models = _make_models(config, directory, cluster)
        datasets, jobs = _make_datasets_and_jobs(config, directory, models, weights, runner, shares, cluster)
        logs = directory if cluster is None else cluster.open_logs(encoder.embedder_hash, measures.commits)
        others = cluster.predictions if cluster is not None else None
        workspaces = _open_workspaces(config, logs, encoder, weights, models, learners, shares, others)
        dataset_dependencies = _make_dataset_dependencies(config, directory, datasets)
        reader_pool = _make_reader_pool(config, directory, reader)
        reading_store = _make_reading_store(config, directory, cluster)
        readings = _make_readings(config, reading_store, reader_pool, encoder, weights, workspaces, models, measures)
        undo.pop_all()
    return App(
        config=config,
        directory=directory,
        store_address=logs.address,
        workspaces=workspaces,
        models=models,
        dataset_dependencies=dataset_dependencies,
        jobs=jobs,
        readings=readings,
        reader_pool=reader_pool,
        reading_store=reading_store,
        reading_expiry=ReadingExpiry(reading_store),
        embedder=embedder,
        describe_device=selected.describe,
        weights=weights,
        measures=measures,
        tracing=tracing,
        certificates=certificates,
        server=server,
        port=port,
        cluster=cluster,
    )


def _read_shares(config: ServerConfig) -> EffectiveLimits:
    """Return the limits of all, and of those who have their own. Raises Precondition if these cannot be read."""
    return EffectiveLimits(config.shares, LimitsFile(config.data_dir))


def _make_authenticator(config: ServerConfig) -> Authenticator:
    """Raise Precondition if there is no token and other machines can reach the server."""
    authenticator = Authenticator(TokenFile(config.data_dir), config.shared_token)
    if config.requires_tokens and not authenticator.is_required:
        raise Precondition(
            f"other machines can reach {config.host}, and there are no tokens: make one with `haleganada tokens add "
            f"NAME --role admin --data {config.data_dir}`, or give --insecure if all their users may read and change "
            "what is taught",
            StartReason.TOKENS_MISSING,
        )
    return authenticator


def _make_encoder(rasterizer: PillowRasterizer, embedder: Embedder) -> GlyphEncoder:
    on_cpu = embedder.device.startswith("cpu")
    return GlyphEncoder(rasterizer, embedder, _TOGETHER_ON_CPU if on_cpu else _TOGETHER_ON_GPU)


def _open_cluster(config: ServerConfig, directory: DataDirectory) -> Cluster | None:
    """Return what the server shares with others; None without a database. Raises Precondition."""
    if not config.store:
        if config.objects:
            raise Precondition(
                "--objects is for servers that share a database: name it with --store, or leave --objects out",
                StartReason.OBJECTS_UNUSABLE,
            )
        return None
    if hidden := directory.names():
        raise Precondition(
            f"the data directory {config.data_dir} has workspaces of its own (“{hidden[0]}”), which a database would "
            "hide: move them there with `haleganada migrate`, choose another directory with --data for what this "
            "server keeps itself, or start without --store",
            StartReason.DATA_DIRECTORY_UNUSABLE,
        )
    try:
        from haleganada_server.cluster import Cluster
    except ModuleNotFoundError as error:
        raise Precondition(
            f"--store needs {error.name}, which is not installed: {describe_install('cluster')}",
            StartReason.CLUSTER_NOT_INSTALLED,
        ) from error
    return Cluster(config, directory)


def _make_models(config: ServerConfig, directory: DataDirectory, cluster: Cluster | None) -> Models:
    root, built_in = config.data_dir / "models", config.built_in_models
    folders = (
        ModelFolders(root, directory.temporary_file, built_in)
        if cluster is None
        else cluster.open_models(root, built_in)
    )
    return Models(folders, partial(OnnxClassifier, to_input=model_input))


def _open_workspaces(
    config: ServerConfig,
    directory: WorkspaceDirectory,
    encoder: GlyphEncoder,
    weights: Weights,
    models: Models,
    learners: LearnerRunner | None,
    shares: EffectiveLimits,
    others: OtherMemories | None = None,
) -> Workspaces:
    predictions, pages = config.memory_budget // _PREDICTIONS_SHARE, config.memory_budget // _OPEN_PAGES_SHARE
    return Workspaces(
        WorkspaceDependencies(
            directory=directory,
            encoder=encoder,
            head_parameters=weights.head_parameters,
            models=models,
            learners=_make_learners(config, encoder, models, learners),
            retention=Retention(max_bytes=config.snapshot_quota),
            predictions=PredictionMemory(predictions),
            memory_budget=config.memory_budget - predictions - pages,
            find_quotas=shares.of_workspace,
            max_workspaces=config.shares.workspaces,
            others=others,
        )
    )


def _make_tracing(endpoint: str) -> Tracing | None:
    """endpoint: "" = nobody traces. Raises Precondition without the extra."""
    if not endpoint:
        return None
    try:
        from haleganada_server.rpc.tracing import Tracing
    except ModuleNotFoundError as error:
        raise Precondition(
            f"--trace needs {error.name}, which is not installed: {describe_install('tracing')}",
            StartReason.TRACING_NOT_INSTALLED,
        ) from error
    return Tracing(endpoint)


def _make_measures(tracing: Tracing | None) -> Measures:
    span = tracing.span if tracing is not None else no_span
    return Measures(commits=CommitMeasures(span=span), span=span)


def _make_datasets_and_jobs(
    config: ServerConfig,
    directory: DataDirectory,
    models: Models,
    weights: Weights,
    runner: JobRunner | None,
    shares: EffectiveLimits,
    cluster: Cluster | None,
) -> tuple[Datasets, Jobs]:
    root = config.data_dir / "datasets"
    datasets = Datasets(
        DatasetFolders(root, directory.temporary_file) if cluster is None else cluster.open_datasets(root),
        in_use=lambda dataset_id: jobs.uses_dataset(dataset_id),
    )
    jobs = Jobs(
        JobDependencies(
            store=JobFolders(config.data_dir / "jobs", directory.temporary_file) if cluster is None else cluster.jobs,
            runner=runner or JobProcessRunner(device=config.device, backbone_weights=config.backbone_weights),
            datasets=datasets,
            models=models,
            weights=weights.folder,
            backbone_weights=config.backbone_weights,
            find_queued_limit=lambda caller: shares.of_caller(caller).queued_jobs,
        )
    )
    return datasets, jobs


def _make_learners(
    config: ServerConfig, encoder: GlyphEncoder, models: Models, runner: LearnerRunner | None
) -> Learners:
    def find_model_folder(start: str) -> Path | None:
        """Return the folder of the model that a network starts from, even if it is gone; None for a preset."""
        if start in ONLINE_PRESETS:
            return None
        with suppress(NotFound):
            return models.get(start).folder
        return config.data_dir / "models" / start

    return Learners(
        LearnerDependencies(
            runner or LearnerProcessRunner(),
            encoder,
            dataset_raster,
            config.backbone_weights,
            partial(load_saved_answers, to_input=model_input),
        ),
        LearnerFolders(config.data_dir / "online"),
        find_model_folder,
    )


def _make_dataset_dependencies(
    config: ServerConfig, directory: DataDirectory, datasets: Datasets
) -> DatasetDependencies:
    return DatasetDependencies(
        datasets,
        Uploads(config.data_dir / "uploads", config.max_upload_bytes, config.upload_quota, directory.require_room),
        AllowedFolder(config.datasets_from).resolve,
        PreviewProcess(directory.temporary_file),
    )


def _make_reader_pool(config: ServerConfig, directory: DataDirectory, command: Sequence[str]) -> ReaderPool:
    limits = ReaderLimits(
        count=default_reader_count() if config.readers is None else config.readers,
        memory_bytes=config.reader_memory,
        page_s=config.reader_page_s,
    )
    return ReaderPool(limits, directory.temporary_file, command)


def _make_reading_store(config: ServerConfig, directory: DataDirectory, cluster: Cluster | None) -> ReadingFolders:
    root, retention_s, quota = config.data_dir / "readings", config.reading_retention_s, config.reading_quota
    if cluster is not None:
        return cluster.open_readings(root, retention_s, quota, directory.require_room)
    return ReadingFolders(root, directory.temporary_file, retention_s, quota, directory.require_room)


def _make_readings(
    config: ServerConfig,
    store: ReadingFolders,
    reader: ReaderPool,
    encoder: GlyphEncoder,
    weights: Weights,
    workspaces: Workspaces,
    models: Models,
    measures: Measures,
) -> Readings:
    taught = TaughtReader(reader, encoder, weights.head_parameters, workspaces)
    pages = OpenPages(config.memory_budget // _OPEN_PAGES_SHARE)
    corrector = PageCorrector(
        store=store,
        workspaces=workspaces,
        encoder=encoder,
        parameters=weights.head_parameters,
        frame=frame,
        pages=pages,
        texts=SettledTexts(store),
    )
    line_models = LineModels(MeasuredPages(taught, measures), models)
    return Readings(reader, store, line_models, corrector, write_drawings, line_models.engines)


def _make_limits(config: ServerConfig) -> Limits:
    return Limits(
        workers=config.workers,
        max_waiting=config.max_waiting,
        max_arriving=config.max_arriving,
        max_streams=config.max_streams,
        max_transfers=config.max_transfers,
        max_message_bytes=config.max_message_bytes,
        max_import_bytes=config.max_import_bytes,
        max_watchers=config.max_watchers,
        caller_share=config.caller_share,
        idle_s=config.idle_s,
        min_bytes_per_s=config.min_bytes_per_s,
        message_s=config.message_s,
    )


def _describe_workspace(info: WorkspaceInfo) -> str:
    if info.corrupt:
        return f"{info.name}: cannot be read"
    return f"{info.name}: {_count_noun(info.labels_known, 'label')}, {_count_noun(info.samples_total, 'sample')}"


def _count_noun(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _collect_versions(weights: str) -> dict[str, str]:
    """Return the versions by component, for Stats."""
    installed = {name: version(package) for name, package in _COMPONENTS.items()}
    for package in _OPTIONAL_COMPONENTS:
        with suppress(PackageNotFoundError):
            installed[package] = version(package)
    return {**installed, "python": platform.python_version(), "weights": weights}
