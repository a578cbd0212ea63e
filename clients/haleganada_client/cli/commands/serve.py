"""serve, pretrain, web, up. The server is another program: this one only starts it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import click

from haleganada_client.cli.exit_codes import fail
from haleganada_client.cli.group import Settings
from haleganada_client.cli.session import config_of
from haleganada_client.cli.supervisor import Plan, run_together
from haleganada_client.errors import HaleganadaError, InvalidInput

_PASS = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@click.command("serve", context_settings=_PASS)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve_command(arguments: tuple[str, ...]) -> None:
    """Start the server that holds the model."""
    _become("serve", arguments)


@click.command("pretrain", context_settings=_PASS)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def pretrain_command(arguments: tuple[str, ...]) -> None:
    """Train the embedder itself."""
    _become("pretrain", arguments)


def _become(command: str, arguments: tuple[str, ...]) -> None:
    """Replace this process, so that signals and the exit code are the server's own."""
    _require("haleganada_server", "onnxruntime", "server")
    line = [sys.executable, "-m", "haleganada_server", command, *arguments]
    if os.name == "nt":
        sys.exit(subprocess.call(line))
    os.execv(sys.executable, line)


def _require(module: str, package: str, extra: str) -> None:
    if importlib.util.find_spec(module) is None or importlib.util.find_spec(package) is None:
        fail(f"this needs more than the thin client; install it with: pip install 'haleganada[{extra}]'", 1)


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 picks one.")
@click.option(
    "--allow-host", multiple=True, metavar="NAME", help="A name under which browsers may call, beside localhost."
)
@click.option("--insecure", is_flag=True, help="Listen beyond this machine: anybody there can teach and erase.")
@click.pass_obj
def web_command(settings: Settings, host: str, port: int, allow_host: tuple[str, ...], insecure: bool) -> None:
    """Start the web page for a running server (--server), until Ctrl+C."""
    _require("flask", "waitress", "web")
    from haleganada_client.web import run_web

    config = config_of(settings)

    def ready(address: str) -> None:
        words = f"Haleganada's page is at {address} (server {config.target})"
        click.echo(json.dumps({"page": address, "server": config.target}) if settings.json else words)

    try:
        run_web(config, host, port, allow_host, ready, insecure=insecure)
    except InvalidInput as error:
        fail(error.message, 2)
    except HaleganadaError as error:
        fail(error.message, 1)


@click.command("up")
@click.option(
    "--data", default="saved_model", show_default=True, metavar="DIR", help="Where everything taught is kept."
)
@click.option(
    "--listen", default="127.0.0.1:50051", show_default=True, metavar="HOST:PORT", help="The server's address."
)
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The page's port; 0 picks one."
)
@click.option(
    "--device", default="auto", show_default=True, metavar="auto|cpu|cuda:N", help="What computes embeddings."
)
@click.option(
    "--starter",
    is_flag=True,
    help="Teach digits and small letters first, a few drawings of each: those that are not known.",
)
@click.option(
    "--datasets-from",
    type=click.Path(exists=True, file_okay=False),
    help="Folder of data sets that callers may have read.",
)
@click.option(
    "--backbone-weights",
    type=click.Path(exists=True, dir_okay=False),
    help="ImageNet weights for presets that start from them.",
)
@click.pass_obj
def up_command(
    settings: Settings,
    data: str,
    listen: str,
    port: int,
    device: str,
    starter: bool,
    datasets_from: str | None,
    backbone_weights: str | None,
) -> None:
    """Start server and web page together, and print the page's address. Ctrl+C stops both."""
    _require("haleganada_server", "onnxruntime", "server")
    _require("flask", "waitress", "web")
    plan = Plan(data, listen, port, device, settings.workspace or "", starter, datasets_from, backbone_weights)
    sys.exit(run_together(plan, settings.json))
