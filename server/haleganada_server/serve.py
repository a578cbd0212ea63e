"""`haleganada serve`: flags to a config, a server up, SIGTERM and SIGINT down in good order."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click

from .config import ServerConfig


@click.command()
@click.option("--listen", default="127.0.0.1:50051", show_default=True, metavar="HOST:PORT", help="Port 0 picks one.")
@click.option(
    "--data",
    default="saved_model",
    show_default=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything that is taught is kept.",
)
@click.option(
    "--device", default="auto", show_default=True, metavar="auto|cpu|cuda:N", help="What computes embeddings."
)
@click.option(
    "--insecure", is_flag=True, help="Serve other machines without encryption: only on a network that you trust."
)
@click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM certificate chain.")
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM private key.")
@click.option("--reflection/--no-reflection", default=None, help="Tell any client the contract. [default: on loopback]")
@click.option("--workers", default=16, show_default=True, type=click.IntRange(1, 64), help="Calls answered at once.")
@click.option("--grace", default=10.0, show_default=True, type=click.FloatRange(0, 600), help="Seconds to finish in.")
@click.option(
    "--log-level", default="warning", show_default=True, type=click.Choice(["debug", "info", "warning", "error"])
)
def serve(
    listen: str,
    data: Path,
    device: str,
    insecure: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    reflection: bool | None,
    workers: int,
    grace: float,
    log_level: str,
) -> None:
    """Hold the model: teach and recognise over gRPC until stopped."""
    logging.basicConfig(
        level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    config = ServerConfig(
        listen=listen,
        data=data,
        device=device,
        insecure=insecure,
        tls_certificate=tls_cert,
        tls_key=tls_key,
        reflection=reflection,
        workers=workers,
        grace_s=grace,
    )
    _check(config)
    sys.exit(run(config))


def run(config: ServerConfig) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    stop = _stop_event()
    from .app import App  # onnxruntime and numpy take most of the start; flags are checked before
    from .core.errors import HaleganadaError

    try:
        app = App(config)
        address = app.start()
    except HaleganadaError as error:
        click.echo(f"haleganada: {error.message}", err=True)
        return 1
    known = app.workspaces.info()
    click.echo(
        f"Haleganada serves on {address} (data in {config.data}, {app.device}, "
        f"default: {known.labels_known} labels, {known.samples_total} samples)"
    )
    sys.stdout.flush()
    stop.wait()
    app.stop()
    return 0


def _check(config: ServerConfig) -> None:
    """Exit code 2 for settings that must not be."""
    host, _, port = config.listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise click.UsageError(f"--listen {config.listen} is not HOST:PORT, for example 127.0.0.1:50051")
    if (config.tls_certificate is None) != (config.tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together; give both")
    kind, _, number = config.device.partition(":")
    if config.device not in ("auto", "cpu", "cuda") and not (kind == "cuda" and number.isdigit()):
        raise click.UsageError(f"--device {config.device} is none of auto, cpu and cuda:N")
    if not config.is_loopback and config.tls_certificate is None and not config.insecure:
        raise click.UsageError(
            f"{host} can be reached from other machines; give --tls-cert and --tls-key, listen on 127.0.0.1, "
            "or say --insecure if you trust everyone on the network"
        )


def _stop_event() -> threading.Event:
    """Set by the first SIGTERM or SIGINT. A second one ends the process at once; nothing depends on the orderly way."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return stop
