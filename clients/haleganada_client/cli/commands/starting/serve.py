"""serve, web and up, and the commands of the server's own program, which they only start."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import click

from haleganada_client.cli.exit_codes import ExitCode, fail
from haleganada_client.cli.global_options import GlobalOptions
from haleganada_client.cli.session import client_config
from haleganada_client.cli.setting_names import name_options
from haleganada_client.errors import HaleganadaError, InvalidInput
from haleganada_client.examples import EXAMPLES
from haleganada_client.installation import describe_install

from .supervisor import LaunchOptions, run_server_and_page

_PASS_EVERYTHING_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@click.command("serve", context_settings=_PASS_EVERYTHING_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve_command(arguments: tuple[str, ...]) -> None:
    """Start the server."""
    _replace_process("serve", arguments)


@click.command("pretrain", context_settings=_PASS_EVERYTHING_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def pretrain_command(arguments: tuple[str, ...]) -> None:
    """Train the embedder from scratch."""
    _replace_process("pretrain", arguments)


@click.command("backup", context_settings=_PASS_EVERYTHING_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def backup_command(arguments: tuple[str, ...]) -> None:
    """Copy the data directory."""
    _replace_process("backup", arguments)


@click.command("verify", context_settings=_PASS_EVERYTHING_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def verify_command(options: GlobalOptions, arguments: tuple[str, ...]) -> None:
    """Check every file of the data directory."""
    as_json = ("--json",) if options.json else ()
    _replace_process("verify", (*_pass_workspace(options), *as_json, *arguments))


@click.command("repair", context_settings=_PASS_EVERYTHING_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def repair_command(options: GlobalOptions, arguments: tuple[str, ...]) -> None:
    """Save what is left of a damaged workspace."""
    _replace_process("repair", (*_pass_workspace(options), *arguments))


@click.command("migrate", context_settings=_PASS_EVERYTHING_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def migrate_command(options: GlobalOptions, arguments: tuple[str, ...]) -> None:
    """Move what was taught to a database, or back."""
    as_json = ("--json",) if options.json else ()
    _replace_process("migrate", (*_pass_workspace(options), *as_json, *arguments))


@click.command("audit", context_settings=_PASS_EVERYTHING_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def audit_command(options: GlobalOptions, arguments: tuple[str, ...]) -> None:
    """List who did what."""
    as_json = ("--json",) if options.json else ()
    _replace_process("audit", (*_pass_workspace(options), *as_json, *arguments))


@click.command("tokens", context_settings=_PASS_EVERYTHING_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def tokens_command(arguments: tuple[str, ...]) -> None:
    """Make, list, expire and revoke access tokens."""
    _replace_process("tokens", arguments)


@click.command("bulk", context_settings=_PASS_EVERYTHING_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def bulk_command(options: GlobalOptions, arguments: tuple[str, ...]) -> None:
    """Work on many files at once."""
    as_json = ("--json",) if options.json and arguments else ()
    workspace = _pass_workspace(options) if arguments else ()
    _replace_process("bulk", (*arguments[:1], *workspace, *as_json, *arguments[1:]))


@click.command("limits", context_settings=_PASS_EVERYTHING_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def limits_command(arguments: tuple[str, ...]) -> None:
    """Give single callers and workspaces other limits."""
    _replace_process("limits", arguments)


def _pass_workspace(options: GlobalOptions) -> tuple[str, ...]:
    """Return the option --workspace of the server's program, if it was given before the command."""
    return ("--workspace", options.workspace) if options.workspace else ()


def _replace_process(command: str, arguments: tuple[str, ...]) -> None:
    """Replace this process by the server's program, so that it gets the signals and determines the exit code."""
    _require_extra("server", "haleganada_server", "onnxruntime")
    command_line = [sys.executable, "-m", "haleganada_server", command, *arguments]
    if os.name == "nt":
        sys.exit(subprocess.call(command_line))
    os.execv(sys.executable, command_line)


def _require_extra(extra: str, *modules: str) -> None:
    """Exit with a hint unless the modules of an extra are installed."""
    if any(importlib.util.find_spec(module) is None for module in modules):
        fail(f"this needs the {extra} extra; install it with: {describe_install(extra)}", ExitCode.FAILURE)


_page_port = click.option(
    "--port",
    envvar="HALEGANADA_PORT",
    show_envvar=True,
    default=8080,
    show_default=True,
    metavar="PORT",
    type=click.IntRange(0, 65535),
    help="The page's port; 0 picks one.",
)


@click.command("web")
@click.option(
    "--host",
    envvar="HALEGANADA_HOST",
    show_envvar=True,
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="The address to listen on.",
)
@_page_port
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="A name of this machine that browsers may use in addresses, besides localhost. Can be repeated.",
)
@click.option(
    "--behind-proxy",
    is_flag=True,
    help="Trust the X-Forwarded-For and X-Forwarded-Proto headers of the web server in front of the page.",
)
@click.option(
    "--trusted-user-header",
    default="",
    metavar="NAME",
    help="Single sign-on: the header in which the web server in front names the user.",
)
@click.option(
    "--trusted-proxy",
    multiple=True,
    metavar="CIDR",
    help="The address, or network, of that web server. Requests with the header from anywhere else are refused. Can be "
    "repeated.",
)
@click.option(
    "--user-tokens",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A file with one line per user: the name in the header, a space, and the user's token.",
)
@click.option(
    "--insecure",
    is_flag=True,
    help="Allow a --host that other machines can reach. What browsers send to it, tokens included, is not encrypted. "
    "On a server without tokens, anyone who can reach it may teach and delete.",
)
@click.option("--stop-with-stdin", is_flag=True, hidden=True, help="Stop when standard input ends, as with its writer.")
@click.pass_obj
def web_command(
    options: GlobalOptions,
    host: str,
    port: int,
    allow_host: tuple[str, ...],
    behind_proxy: bool,
    trusted_user_header: str,
    trusted_proxy: tuple[str, ...],
    user_tokens: Path | None,
    insecure: bool,
    stop_with_stdin: bool,
) -> None:
    """Start the web page for a running server (--server). Ctrl+C stops it."""
    _require_extra("web", "flask", "waitress")
    from haleganada_client.web import run_web
    from haleganada_client.web.single_sign_on import make_single_sign_on

    config = client_config(options)

    def print_address(address: str) -> None:
        text = f"Haleganada's page is at {address} (server {config.target})"
        click.echo(json.dumps({"page": address, "server": config.target}) if options.json else text)

    try:
        run_web(
            config,
            host,
            port,
            allow_host,
            print_address,
            behind_proxy=behind_proxy,
            single_sign_on=make_single_sign_on(trusted_user_header, trusted_proxy, user_tokens),
            insecure=insecure,
            stop_with_stdin=stop_with_stdin,
        )
    except InvalidInput as error:
        fail(name_options(error.message), ExitCode.USAGE)
    except HaleganadaError as error:
        fail(name_options(error.message), ExitCode.FAILURE)


@click.command("up")
@click.option("--data", default="saved_model", show_default=True, metavar="DIR", help="The data directory.")
@click.option(
    "--listen",
    envvar="HALEGANADA_LISTEN",
    show_envvar=True,
    default="127.0.0.1:50051",
    show_default=True,
    metavar="HOST:PORT",
    help="The server's address.",
)
@_page_port
@click.option(
    "--device", default="auto", show_default=True, metavar="auto|cpu|cuda:N", help="The device that runs the embedder."
)
@click.option(
    "--starter",
    is_flag=True,
    help="First teach a few drawings of each digit and small letter, unless they are known already.",
)
@click.option(
    "--example",
    type=click.Choice(EXAMPLES),
    help="First open an example: copiale, a page of a cipher of about 1750, with five drawings of each symbol taught.",
)
@click.option(
    "--datasets-from",
    type=click.Path(exists=True, file_okay=False),
    help="A folder from which clients may add data sets.",
)
@click.option(
    "--backbone-weights",
    type=click.Path(exists=True, dir_okay=False),
    multiple=True,
    help="A file of ImageNet weights, for presets that start from them. Can be repeated.",
)
@click.pass_obj
def up_command(
    options: GlobalOptions,
    data: str,
    listen: str,
    port: int,
    device: str,
    starter: bool,
    example: str | None,
    datasets_from: str | None,
    backbone_weights: tuple[str, ...],
) -> None:
    """Start the server and the web page together, and print the page's address. Ctrl+C stops both."""
    _require_extra("server", "haleganada_server", "onnxruntime")
    _require_extra("web", "flask", "waitress")
    launch = LaunchOptions(
        data=data,
        listen=listen,
        port=port,
        device=device,
        workspace=options.workspace or "",
        starter=starter,
        example=example or "",
        datasets_from=datasets_from,
        backbone_weights=backbone_weights,
    )
    sys.exit(run_server_and_page(launch, options.json))
