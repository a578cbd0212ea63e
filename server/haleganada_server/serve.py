"""`haleganada serve`: flags become a ServerConfig, a line says when it is ready, and stopping loses nothing."""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from haleganada_server.app import App, build_app
from haleganada_server.config import SHIPPED_WEIGHTS, ServerConfig, Tls
from haleganada_server.core.errors import HaleganadaError, Precondition
from haleganada_server.core.jobs.ports import JobRunner
from haleganada_server.core.shares.limits import PROFILES
from haleganada_server.logs import LogFormat, configure_logging
from haleganada_server.runtime.allocator import return_large_blocks
from haleganada_server.runtime.processes.reader_pool import READER
from haleganada_server.share_options import LimitSetting, make_share_limits
from haleganada_server.sizes import Size

if TYPE_CHECKING:
    from haleganada_server.watching.http import MetricsPage

_WARN_EVERY_S = 60.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger(__name__)
_existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_existing_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_folder = click.Path(file_okay=False, path_type=Path)


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT, with an IPv6 address in brackets, as (host, port)."""

    name = "HOST:PORT"

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        host, _, port = value.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
            self.fail(f"“{value}” is not HOST:PORT, for example 127.0.0.1:50051 or [::1]:0", param, ctx)
        return host, int(port)


class MetricsAddress(Address):
    """HOST:PORT or PORT, which is one of this machine alone, as (host, port)."""

    name = "[HOST:]PORT"

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        return super().convert(
            f"127.0.0.1:{value}" if isinstance(value, str) and value.isdigit() else value, param, ctx
        )


@click.command()
@click.option(
    "--listen",
    type=Address(),
    envvar="HALEGANADA_LISTEN",
    show_envvar=True,
    default="127.0.0.1:50051",
    show_default=True,
    help="The address; port 0 picks one.",
)
@click.option("--data", type=_folder, default="saved_model", show_default=True, help="The data directory.")
@click.option(
    "--store",
    metavar="URL",
    default="",
    envvar="HALEGANADA_STORE",
    show_envvar=True,
    help="Keep what is taught in a PostgreSQL database, postgresql://USER@HOST/DATABASE, which several servers may "
    "share; see --objects for files. Needs the extra cluster.",
)
@click.option(
    "--objects",
    metavar="FOLDER|URL",
    default="",
    envvar="HALEGANADA_OBJECTS",
    show_envvar=True,
    help="With --store: keep models, data sets, readings and snapshots in a folder that all servers have, or in an "
    "object store, s3://BUCKET/PREFIX, so that each of them has them all.",
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda:N[,cuda:M...]",
    help="The device that runs networks, also in jobs. Several GPUs share large batches.",
)
@click.option(
    "--device-memory",
    type=Size(),
    default="none",
    show_default=True,
    help="Memory of each GPU for the embedder. What does not fit is embedded in smaller batches, or by the CPU.",
)
@click.option("--weights", type=_folder, default=SHIPPED_WEIGHTS, help="A folder of other embedder weights.")
@click.option(
    "--tls-cert",
    type=_existing_file,
    help="A PEM file with the certificate chain. The TLS files may be replaced while the server runs.",
)
@click.option("--tls-key", type=_existing_file, help="A PEM file with the certificate's private key.")
@click.option(
    "--tls-client-ca",
    type=_existing_file,
    help="A PEM file of certificate authorities. Only clients with a certificate from one of them may connect.",
)
@click.option(
    "--insecure",
    is_flag=True,
    help="Allow a --listen address that other machines can reach without TLS, or without tokens. Without tokens, "
    "everybody who can reach it may teach and delete.",
)
@click.option(
    "--snapshot-quota",
    type=Size(),
    default="4G",
    show_default=True,
    help="Disk for one workspace's snapshots and trash. The oldest that nobody saved are deleted first.",
)
@click.option("--upload-quota", type=Size(), default="8G", show_default=True, help="Disk for all unfinished uploads.")
@click.option(
    "--data-quota",
    type=Size(),
    default="none",
    show_default=True,
    help="Disk for the whole data directory. When it is full, the server refuses to teach, save or upload more.",
)
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    help="The limits of each caller and each workspace: laptop has none, box has some, for a machine that a group "
    "shares. [default: laptop where only this machine can reach the server, else box]",
)
@click.option(
    "--limit",
    "limits",
    type=LimitSetting(),
    multiple=True,
    help="Override a limit of the profile, for example calls-per-second=50 or workspace-samples=none. Can be repeated.",
)
@click.option("--datasets-from", type=_existing_folder, help="A folder from which clients may add data sets.")
@click.option(
    "--backbone-weights",
    type=_existing_file,
    multiple=True,
    help="A file of ImageNet weights, for presets that start from them. Can be repeated.",
)
@click.option(
    "--metrics",
    type=MetricsAddress(),
    envvar="HALEGANADA_METRICS",
    show_envvar=True,
    help="Serve metrics for Prometheus at http://HOST:PORT/metrics. Without HOST, only this machine can reach them; "
    "port 0 picks one.",
)
@click.option(
    "--trace",
    metavar="URL",
    default="",
    help="Send traces to a collector of OpenTelemetry (OTLP over gRPC), for example http://127.0.0.1:4317. Needs the "
    "extra tracing.",
)
@click.option("--reflection/--no-reflection", default=None, help="Offer gRPC reflection. [default: only on loopback]")
@click.option(
    "--workers", type=click.IntRange(2, 256), default=16, show_default=True, help="How many calls to carry out at once."
)
@click.option(
    "--encoder-workers",
    type=click.IntRange(0, 64),
    deprecated="The server itself encodes concurrent calls together.",
    expose_value=False,
    help="Has no effect.",
)
@click.option(
    "--readers", type=click.IntRange(1, 64), help="How many processes read documents. [default: one per core]"
)
@click.option(
    "--reading-retention",
    type=click.FloatRange(0, min_open=True),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="Hours after which a kept reading and its document are deleted.",
)
@click.option(
    "--reading-quota",
    type=Size(),
    default="8G",
    show_default=True,
    help="Disk for all kept readings, and for documents on their way in.",
)
@click.option(
    "--idle-limit",
    type=click.FloatRange(1),
    default=30.0,
    show_default=True,
    help="How many seconds a stream may be idle before the server ends it.",
)
@click.option(
    "--memory-budget",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    metavar="MB",
    help="Megabytes for workspaces in memory and for remembered predictions. Workspaces that do not fit are unloaded, "
    "and loaded again when they are used.",
)
@click.option(
    "--file-budget",
    type=click.IntRange(1),
    metavar="FILES",
    help="How many files of workspaces to keep open. [default: an eighth of `ulimit -n`, at most 128]",
)
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=10.0,
    show_default=True,
    help="How many seconds running calls have to finish when the server stops.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="The least serious messages to log.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Log lines for people, or one JSON object per line.",
)
@click.option("--stop-with-stdin", is_flag=True, hidden=True, help="Stop when standard input ends, as with its writer.")
def serve(
    listen: tuple[str, int],
    data: Path,
    store: str,
    objects: str,
    device: str,
    device_memory: int | None,
    weights: Path,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    insecure: bool,
    snapshot_quota: int | None,
    upload_quota: int | None,
    data_quota: int | None,
    profile: str | None,
    limits: tuple[tuple[str, float | None], ...],
    datasets_from: Path | None,
    backbone_weights: tuple[Path, ...],
    metrics: tuple[str, int] | None,
    trace: str,
    reflection: bool | None,
    workers: int,
    readers: int | None,
    reading_retention: float,
    reading_quota: int | None,
    idle_limit: float,
    memory_budget: int,
    file_budget: int | None,
    grace: float,
    log_level: str,
    log_format: LogFormat,
    stop_with_stdin: bool,
) -> None:
    """Start the server. SIGTERM or Ctrl+C stops it."""
    if stop_with_stdin:
        threading.Thread(target=_stop_when_stdin_ends, daemon=True).start()
    host, port = listen
    tls = _make_tls(tls_cert, tls_key, tls_client_ca)
    local = _is_loopback(host)
    if not (local or tls or insecure):
        _exit_with_error(
            f"other machines can reach {host}: give --tls-cert and --tls-key, and make tokens with `haleganada tokens "
            "add`; or give --insecure if all their users may read and change what is taught.",
            status=2,
        )
    configure_logging(log_level, log_format)
    config = ServerConfig(
        data,
        store=store,
        objects=objects,
        host=host,
        port=port,
        device=device,
        device_memory=device_memory,
        weights_dir=weights,
        tls=tls,
        metrics=metrics,
        trace=trace,
        shared_token=os.environ.get("HALEGANADA_TOKEN", "").strip(),
        requires_tokens=not (local or insecure),
        reflection=local if reflection is None else reflection,
        workers=workers,
        idle_s=idle_limit,
        snapshot_quota=snapshot_quota,
        upload_quota=upload_quota,
        data_quota=data_quota,
        shares=make_share_limits(profile, limits, local),
        datasets_from=datasets_from,
        backbone_weights=backbone_weights,
        readers=readers,
        reading_retention_s=reading_retention * 3600,
        reading_quota=reading_quota,
        memory_budget=memory_budget * 2**20,
        file_budget=file_budget,
    )
    if insecure and not local:
        threading.Thread(target=_keep_warning, args=(host, bool(tls)), name="insecure", daemon=True).start()
    run(config, grace)


def run(config: ServerConfig, grace_s: float, runner: JobRunner | None = None, reader: Sequence[str] = READER) -> None:
    """Serve until a signal arrives, then exit with status 0; with 1 if the server cannot start, or stops because
    another one may use its data directory. runner, reader: see build_app.
    """
    return_large_blocks()
    try:
        app = build_app(config, runner, reader=reader)
    except HaleganadaError as error:
        _exit_with_error(error.message)
    except OSError as error:
        _exit_with_error(
            f"cannot use {config.data_dir} as the data directory ({error.strerror}); choose another with --data."
        )
    signals = _Signals()
    lost = threading.Event()

    def stop_without_directory() -> None:
        lost.set()
        os.kill(os.getpid(), signal.SIGTERM)

    app.directory.watch_lock(stop_without_directory)
    page = _open_metrics(app)
    app.start()
    click.echo(f"Haleganada serves on {app.address} ({app.summary()})")
    if page:
        click.echo(f"Metrics are at {page.url}")
    sys.stdout.flush()
    _log.info("stopping after signal %s", signals.wait().name)
    threading.Thread(target=_exit_on_second_signal, args=(signals,), daemon=True).start()
    _stop(app, grace_s, 1 if lost.is_set() else 0)


def _open_metrics(app: App) -> MetricsPage | None:
    """Return the page with the server's metrics; None if nobody asked for it. Exit if its address cannot be had."""
    if app.config.metrics is None:
        return None
    from haleganada_server.watching.http import MetricsPage  # whose imports take time that others need not wait

    try:
        return MetricsPage(app, *app.config.metrics)
    except Precondition as error:
        app.stop(0)
        _exit_with_error(error.message)


class _Signals:
    """Lets any thread wait for SIGTERM and SIGINT.

    Python runs handlers only in the main thread, and does not wake it, while the system may deliver a signal to any
    thread. The byte that is written to this socket arrives whichever thread that was.
    """

    def __init__(self) -> None:
        self._received, self._sent = socket.socketpair()
        self._sent.setblocking(False)
        signal.set_wakeup_fd(self._sent.fileno())
        for number in _SIGNALS:
            signal.signal(number, lambda _number, _frame: None)

    def wait(self) -> signal.Signals:
        """Return the next one."""
        return signal.Signals(self._received.recv(1)[0])


def _stop_when_stdin_ends() -> None:
    """Stop as with SIGTERM when whoever holds the other end of standard input has ended, in whatever way."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _exit_on_second_signal(signals: _Signals) -> None:
    signals.wait()
    os._exit(1)


def _stop(app: App, grace_s: float, status: int) -> None:
    """Stop the server and exit with this status. Everything acknowledged is on disk already."""
    if app.stop(grace_s):
        _log.info("stopped; all calls have finished")
    else:
        _log.warning("stopped; calls that took longer than %g s were cut off", grace_s)
    logging.shutdown()
    os._exit(status)  # Python would wait for the threads of calls that were cut off


def _keep_warning(host: str, has_tls: bool) -> None:
    """Say it every minute, so that nobody finds out only from a log of months ago."""
    what = "anybody may use it unless it has tokens" if has_tls else "what is sent, also tokens, can be read on the way"
    while True:
        _log.warning("other machines can reach %s, and --insecure was given: %s", host, what)
        time.sleep(_WARN_EVERY_S)


def _make_tls(certificate: Path | None, key: Path | None, client_authorities: Path | None) -> Tls | None:
    if certificate and key:
        return Tls(certificate, key, client_authorities)
    if certificate or key or client_authorities:
        _exit_with_error("--tls-cert and --tls-key are needed together.", status=2)
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _exit_with_error(sentence: str, status: int = 1) -> NoReturn:
    click.echo(f"haleganada serve: {sentence}", err=True)
    sys.exit(status)
