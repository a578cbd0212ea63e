"""The options that every command shares: before its name or behind it, where they count more."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

_BEHIND_A_COMMAND = "Global options (--server, -w, --json and others, see haleganada --help) may be given here, too."


@dataclass(frozen=True, kw_only=True)
class GlobalOptions:
    """The shared options; None where an option was not given."""

    profile: str | None = None
    server: str | None = None
    workspace: str | None = None
    token: str | None = None
    token_file: Path | None = None
    tls: bool | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    timeout: float | None = None
    json: bool = False
    verbose: bool = False

    def command_line(self, *words: str, workspace: str | None = None) -> str:
        """Return the command line that reaches the same server, and the same workspace unless another is given.

        It repeats only options that were given: environment variables will still be set. It never shows the token.
        """
        workspace = workspace or self.workspace
        profile_option = ["--profile", self.profile] if self.profile else []
        server_option = ["--server", self.server] if self.server else []
        tls_option = ["--tls"] if self.tls else []
        files = {"--token-file": self.token_file, "--ca": self.ca, "--cert": self.cert, "--key": self.key}
        file_options = [word for flag, path in files.items() if path for word in (flag, str(path))]
        workspace_option = ["-w", workspace] if workspace else []
        return shlex.join(
            ["haleganada", *profile_option, *server_option, *tls_option, *file_options, *workspace_option, *words]
        )


def store_option(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Set a field of the context's GlobalOptions, which its subcommands inherit."""
    options = ctx.find_object(GlobalOptions) or GlobalOptions()
    if value is not None and value is not False:
        assert param.name is not None, "every option has a name"
        options = replace(options, **{param.name: value})
    ctx.obj = options


def _make_option(*flags: str, **attributes: Any) -> click.Option:
    return click.Option(flags, expose_value=False, callback=store_option, **attributes)


_FILE = click.Path(path_type=Path)
OPTIONS: list[click.Option] = [
    _make_option(
        "--profile",
        metavar="NAME",
        help="Use this saved connection (see `haleganada connect`), and ignore the environment. "
        "[default: $HALEGANADA_PROFILE, or the last one connected to, unless --server or $HALEGANADA_TARGET names a "
        "server]",
    ),
    _make_option(
        "--server",
        metavar="HOST:PORT",
        help="The server's address; grpcs://HOST:PORT connects with TLS. [default: $HALEGANADA_TARGET, or the "
        "profile's, or 127.0.0.1:50051]",
    ),
    _make_option(
        "--workspace",
        "-w",
        metavar="NAME",
        help="The workspace to use. [default: $HALEGANADA_WORKSPACE or default]",
    ),
    _make_option(
        "--token",
        metavar="TEXT",
        help="The access token. Other users of this machine can see it here; prefer --token-file or $HALEGANADA_TOKEN.",
    ),
    _make_option(
        "--token-file",
        type=_FILE,
        metavar="FILE",
        help="A file that contains only the access token; - for standard input. [default: $HALEGANADA_TOKEN_FILE]",
    ),
    _make_option("--tls", is_flag=True, help="Connect with TLS, and trust gRPC's built-in certificate authorities."),
    _make_option(
        "--ca",
        type=_FILE,
        metavar="FILE",
        help="Connect with TLS, and trust the certificate authorities in this PEM file. [default: $HALEGANADA_CA]",
    ),
    _make_option(
        "--cert",
        type=_FILE,
        metavar="FILE",
        help="Connect with TLS, and present this certificate (a PEM file) if the server asks for one. [default: "
        "$HALEGANADA_CERT]",
    ),
    _make_option(
        "--key",
        type=_FILE,
        metavar="FILE",
        help="The private key of --cert, a PEM file. [default: $HALEGANADA_KEY]",
    ),
    _make_option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        metavar="SECONDS",
        help="How long to wait for an answer; in commands that take longer, for the next sign of progress. "
        "[default: 10]",
    ),
    _make_option("--json", is_flag=True, help="Print JSON, also for errors, which go to stderr."),
    _make_option("--verbose", "-v", is_flag=True, help="Log every call, and details of errors, to stderr."),
]


def accept_global_options(command: click.Command) -> None:
    """Let a command, and its subcommands, accept the global options that it has no options of the same names for.

    They are left out of its own help, which would be much longer with them; its last line mentions them.
    """
    if command.epilog == _BEHIND_A_COMMAND:
        return
    own = {flag for param in command.params for flag in param.opts}
    for option in OPTIONS:
        if not own.intersection(option.opts):
            command.params.append(_hide(option))
    command.epilog = _BEHIND_A_COMMAND
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            accept_global_options(subcommand)


def _hide(option: click.Option) -> click.Option:
    return _make_option(
        *option.opts,
        hidden=True,
        type=None if option.is_flag else option.type,
        is_flag=option.is_flag,
        metavar=option.metavar,
    )


def count_global_words(words: Sequence[str]) -> int:
    """Return how many words at the beginning of a command line are global options and their values."""
    takes_value = {flag: not option.is_flag for option in OPTIONS for flag in option.opts}
    count = 0
    while count < len(words):
        flag, separator, _ = words[count].partition("=")
        if flag in takes_value:
            count += 2 if takes_value[flag] and not separator else 1
        elif flag.startswith("-w") and not flag.startswith("--"):  # -wNAME
            count += 1
        else:
            break
    return min(count, len(words))
