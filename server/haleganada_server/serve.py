"""`haleganada serve`: flags become a ServerConfig, a line says when it is ready, and stopping loses nothing."""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import NoReturn

import click

from haleganada_server.app import App, build_app
from haleganada_server.config import SHIPPED_WEIGHTS, ServerConfig, Tls
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.jobs.ports import JobRunner
from haleganada_server.logs import configure_logging

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


@click.command()
@click.option(
    "--listen", type=Address(), default="127.0.0.1:50051", show_default=True, help="The address; port 0 picks one."
)
@click.option("--data", type=_folder, default="saved_model", show_default=True, help="The data directory.")
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda:N",
    help="The device that runs networks, also in jobs.",
)
@click.option("--weights", type=_folder, default=SHIPPED_WEIGHTS, help="A folder of other embedder weights.")
@click.option("--tls-cert", type=_existing_file, help="A PEM file with the certificate chain.")
@click.option("--tls-key", type=_existing_file, help="A PEM file with the certificate's private key.")
@click.option(
    "--insecure",
    is_flag=True,
    help="Allow a --listen address that other machines can reach, without TLS. Everybody who can reach it may then "
    "teach and delete.",
)
@click.option("--datasets-from", type=_existing_folder, help="A folder from which clients may add data sets.")
@click.option(
    "--backbone-weights", type=_existing_file, help="A file of ImageNet weights, for presets that start from them."
)
@click.option("--reflection/--no-reflection", default=None, help="Offer gRPC reflection. [default: only on loopback]")
@click.option(
    "--workers", type=click.IntRange(2, 256), default=16, show_default=True, help="Threads that answer calls."
)
@click.option(
    "--encoder-workers", type=click.IntRange(0, 64), help="Processes that encode drawings. [default: one per core]"
)
@click.option("--readers", "encoder_workers_alias", type=click.IntRange(0, 64), hidden=True)
@click.option(
    "--grace", type=click.FloatRange(0), default=10.0, show_default=True, help="Seconds for running calls to finish."
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="What to log.",
)
def serve(
    listen: tuple[str, int],
    data: Path,
    device: str,
    weights: Path,
    tls_cert: Path | None,
    tls_key: Path | None,
    insecure: bool,
    datasets_from: Path | None,
    backbone_weights: Path | None,
    reflection: bool | None,
    workers: int,
    encoder_workers: int | None,
    encoder_workers_alias: int | None,
    grace: float,
    log_level: str,
) -> None:
    """Start the server. SIGTERM or Ctrl+C stops it."""
    host, port = listen
    tls = _require_both(tls_cert, tls_key)
    local = _is_loopback(host)
    if not (local or tls or insecure):
        _exit_with_error(
            f"other machines can reach {host}: give --tls-cert and --tls-key, or --insecure if all their users may "
            "read and change what is taught.",
            status=2,
        )
    configure_logging(log_level)
    config = ServerConfig(
        data,
        host=host,
        port=port,
        device=device,
        weights_dir=weights,
        tls=tls,
        reflection=local if reflection is None else reflection,
        workers=workers,
        datasets_from=datasets_from,
        backbone_weights=backbone_weights,
        encoder_workers=encoder_workers_alias if encoder_workers is None else encoder_workers,
    )
    run(config, grace)


def run(config: ServerConfig, grace_s: float, runner: JobRunner | None = None) -> None:
    """Serve until a signal arrives, then exit with status 0, or 1 if it cannot start. runner: see build_app."""
    try:
        app = build_app(config, runner)
    except HaleganadaError as error:
        _exit_with_error(error.message)
    except OSError as error:
        _exit_with_error(
            f"cannot use {config.data_dir} as the data directory ({error.strerror}); choose another with --data."
        )
    signals = _Signals()
    app.start()
    click.echo(f"Haleganada serves on {app.address} ({app.summary()})")
    sys.stdout.flush()
    _log.info("stopping after signal %s", signals.wait().name)
    threading.Thread(target=_exit_on_second_signal, args=(signals,), daemon=True).start()
    _stop(app, grace_s)


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


def _exit_on_second_signal(signals: _Signals) -> None:
    signals.wait()
    os._exit(1)


def _stop(app: App, grace_s: float) -> None:
    """Stop the server and exit. Everything acknowledged is on disk already."""
    if app.stop(grace_s):
        _log.info("stopped; all calls have finished")
    else:
        _log.warning("stopped; calls that took longer than %g s were cut off", grace_s)
    logging.shutdown()
    os._exit(0)  # Python would wait for the threads of calls that were cut off


def _require_both(certificate: Path | None, key: Path | None) -> Tls | None:
    if certificate and key:
        return Tls(certificate, key)
    if certificate or key:
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
