"""connect and disconnect: which server all commands use, kept with its token and certificates as a profile."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haleganada_client.cli.formatting import format_count, format_table, printable, printable_lines
from haleganada_client.cli.global_options import GlobalOptions
from haleganada_client.cli.session import Session, client_config, with_session
from haleganada_client.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from haleganada_client.connection.config import ClientConfig

_DEFAULT_WORKSPACE = "default"


@click.command("connect")
@click.argument("where", required=False, metavar="[ADDRESS|NAME]")
@with_session
def connect_command(session: Session, where: str | None) -> None:
    """Connect to a server, and use it for all commands from now on. Without ADDRESS, list the saved connections.

    ADDRESS is grpcs://HOST:PORT with TLS, or HOST:PORT without. If the connection works, it is saved under the name in
    --profile, or else the host's name, with its token, the paths of its certificates and the workspace (-w), in a file
    that only you can read. If the server needs a token and you give none, you are asked for it. NAME is a saved
    connection to use again.

    Commands reach another server with --profile NAME or --server. The page (`haleganada web`) and programs
    (`haleganada_client.connect()`) use the same connection.

    \b
    haleganada connect grpcs://box:50051 --token-file token.txt
    haleganada connect grpcs://box:50051 --ca ca.pem --cert me.pem --key me.key --profile lab
    haleganada connect lab
    haleganada connect
    """
    from haleganada_client.connection import kept_profiles, profiles

    if where is None:
        _show_profiles(session)
    elif ":" not in where:
        if where not in (names := profiles.list_profiles()):
            known = ", ".join(names) or "none"
            example = f"grpcs://{where}:50051"
            raise NotFound(f"there is no connection “{where}”, only {known}; to make one, give an address: {example}")
        config, names = _try_connection(session, replace(session.options, profile=where, server=None))
        kept_profiles.choose_default(where)
        _tell(session, where, config, names)
    else:
        config, names = _try_connection(session, replace(session.options, profile=None, server=where))
        config = _choose_workspace(config, names)
        name = session.options.profile or _host_of(config.target)
        kept_profiles.keep_profile(name, _settings_of(config))
        _tell(session, name, config, names)


@click.command("disconnect")
@click.argument("name", required=False)
@with_session
def disconnect_command(session: Session, name: str | None) -> None:
    """Forget a saved connection and its token: NAME, or else the one in use."""
    from haleganada_client.connection import kept_profiles, profiles

    name = name or session.options.profile or profiles.find_default()
    if not name:
        raise NotFound("there is no connection to forget; `haleganada connect` lists the saved ones")
    kept_profiles.delete_profile(name)
    default = profiles.find_default()
    used = f"commands use “{default}”" if default else "commands use $HALEGANADA_TARGET, or 127.0.0.1:50051"
    session.show({"disconnected": name, "default": default}, f"forgot {printable(name)} and its token; {used}")


def _try_connection(session: Session, options: GlobalOptions) -> tuple[ClientConfig, list[str]]:
    """Return the configuration, with the token if it had to be asked for, and the names of the workspaces that it is
    for. Raise HaleganadaError if the server cannot be reached or refuses.
    """
    config = client_config(options)
    try:
        return config, _list_workspaces(session, config)
    except NotAllowed as error:
        if error.reason != "TOKEN_MISSING" or not sys.stdin.isatty():
            raise
    token = click.prompt("The server asks for a token", hide_input=True, err=True).strip()
    config = replace(config, token=token)
    return config, _list_workspaces(session, config)


def _list_workspaces(session: Session, config: ClientConfig) -> list[str]:
    with session.client(config) as client:
        return [workspace.name for workspace in client.list_workspaces()]


def _choose_workspace(config: ClientConfig, names: Sequence[str]) -> ClientConfig:
    """Return the configuration for the only workspace there is for a token that is not for the usual one."""
    is_refused = config.workspace == _DEFAULT_WORKSPACE and _DEFAULT_WORKSPACE not in names
    return replace(config, workspace=names[0]) if is_refused and len(names) == 1 else config


def _settings_of(config: ClientConfig) -> dict[str, str]:
    """Return what a profile says about a connection."""
    files = {name: path for name in ("ca", "cert", "key") if (path := getattr(config, name)) is not None}
    return {
        "target": config.target,
        **({"tls": "yes"} if config.tls else {}),
        **{name: str(Path(path).absolute()) for name, path in files.items()},
        **({"token": config.token.strip()} if config.token.strip() else {}),
        **({"workspace": config.workspace} if config.workspace != _DEFAULT_WORKSPACE else {}),
    }


def _host_of(target: str) -> str:
    return target.rpartition(":")[0].strip("[]") or target


def _tell(session: Session, name: str, config: ClientConfig, names: Sequence[str]) -> None:
    how = ["with TLS" if config.uses_tls else "without TLS", "with a token" if config.token else "without a token"]
    lines = [f"connected to {config.target}, {', '.join(how)}; all commands use it now, as “{name}”"]
    if config.workspace in names:
        lines.append(f"workspace {config.workspace}, of {format_count(len(names), 'workspace')}; -w names another one")
    else:
        shown = ", ".join(names) or "none"
        lines.append(f"there is no workspace {config.workspace} for you here; name one with -w. There are: {shown}")
    session.show({**_describe(name, config), "workspaces": list(names)}, printable_lines("\n".join(lines)))


def _describe(name: str, config: ClientConfig) -> dict[str, Any]:
    facts = {"name": name, "target": config.target, "workspace": config.workspace}
    return {**facts, "tls": config.uses_tls, "token": bool(config.token)}


def _show_profiles(session: Session) -> None:
    from haleganada_client.connection import profiles
    from haleganada_client.connection.config import ClientConfig

    default = profiles.find_default()
    known = [_describe(name, ClientConfig.from_environment(name)) for name in profiles.list_profiles()]
    rows = [
        [
            "*" if one["name"] == default else "",
            one["name"],
            one["target"],
            one["workspace"],
            "TLS" if one["tls"] else "no TLS",
            "token" if one["token"] else "no token",
        ]
        for one in known
    ]
    table = format_table(rows, ["", "name", "server", "workspace", "", ""])
    hint = "no connection is kept; `haleganada connect grpcs://HOST:PORT --token-file FILE` makes one"
    session.show([{**one, "default": one["name"] == default} for one in known], table if known else hint)
