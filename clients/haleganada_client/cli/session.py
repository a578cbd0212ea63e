"""What every command needs around its work: a client, output for people or programs, and errors that become one line
and an exit code.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from haleganada_client.errors import NOT_UNICODE, HaleganadaError, InvalidInput
from haleganada_client.json_values import to_json_value

from .exit_codes import ExitCode, exit_code_for, fail
from .global_options import GlobalOptions, store_option
from .setting_names import name_options

if TYPE_CHECKING:  # gRPC is imported by commands that call a server, when they do
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.connection.config import ClientConfig

F = TypeVar("F", bound=Callable[..., Any])
_FIELD_WORDS = {"dataset": "data set", "glyph": "image"}
_NOT_UTF8 = "the command line is not valid UTF-8; set the terminal's character encoding to UTF-8"


class Session:
    """The client and the output of one command."""

    def __init__(self, options: GlobalOptions) -> None:
        self.json = options.json
        self.options = options

    def client(self, config: ClientConfig | None = None) -> HaleganadaClient:
        """Return a client with the global options, or another configuration, to be used in a with statement.

        Raise click.UsageError for options, or environment variables, with which no server can be reached.
        """
        config = config or client_config(self.options)
        from haleganada_client.client import HaleganadaClient

        try:
            return HaleganadaClient(config=config)
        except InvalidInput as error:
            raise click.UsageError(name_options(error.message)) from None
        except OSError as error:
            problem = f"{error.filename}: {error.strerror}"
            raise click.UsageError(f"{problem}; --ca, --cert, --key and $HALEGANADA_CA name PEM files") from None

    def command_line(self, *words: str, workspace: str | None = None) -> str:
        """Return a command line to suggest to people; see GlobalOptions."""
        return self.options.command_line(*words, workspace=workspace)

    def show(self, value: Any, text: str) -> None:
        """Print a result: the value as JSON if that was asked for, else the text."""
        click.echo(to_json(value) if self.json else text)

    def progress(self, length: int, label: str) -> Any:
        """Return a progress bar, to be used in a with statement. It appears on stderr if that is a terminal."""
        return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())

    def ask(self, question: str) -> str:
        """Return what a person types as a confirmation. Raise click.UsageError if stdin is no terminal."""
        if not sys.stdin.isatty():
            raise click.UsageError("there is no terminal to ask for confirmation in; confirm with --confirm NAME")
        return str(click.prompt(question, err=True))

    def report(self, error: HaleganadaError) -> NoReturn:
        """Print an error as one line, with --verbose its details before that, and exit with its code."""
        if self.options.verbose:
            facts = {"kind": type(error).__name__, "reason": error.reason, "field": error.field, "call": error.call_id}
            click.echo(" ".join(f"{name}={value}" for name, value in facts.items() if value), err=True)
        fail(name_options(_reword_field(error)), exit_code_for(error), error.reason, error.field)


def _reword_field(error: HaleganadaError) -> str:
    """Return the message of an error, with plain words for the field of the request that it begins with."""
    problem = error.message.removeprefix(f"{error.field}: ")
    if not error.field or problem == error.message:
        return error.message
    name = error.field.rpartition(".")[2].removesuffix("_id")
    return f"the {_FIELD_WORDS.get(name, name.replace('_', ' '))} {problem}"


def client_config(options: GlobalOptions) -> ClientConfig:
    """Return the client's configuration: the global options, and profiles and the environment for those that are not
    given. Raise click.UsageError for two tokens, and for a token's file that cannot be used.
    """
    if options.verbose:
        _log_calls()
    else:
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC reads it when it is imported; our errors say the same
    from haleganada_client.connection.config import ClientConfig

    config = ClientConfig.from_environment(options.profile or "", target=options.server or "")
    return replace(
        config,
        workspace=options.workspace or config.workspace,
        token=_read_token(options) or config.token,
        tls=options.tls or config.tls,
        ca=options.ca or config.ca,
        cert=options.cert or config.cert,
        key=options.key or config.key,
        timeout_s=options.timeout or config.timeout_s,
    )


def _read_token(options: GlobalOptions) -> str:
    """Return the token that the command line gives, "" for none."""
    if options.token_file is None:
        return options.token or ""
    if options.token:
        raise click.UsageError("--token and --token-file both give a token; leave one of them out")
    from haleganada_client.connection.token_file import read_token_file

    try:
        return read_token_file(options.token_file)
    except OSError as error:
        raise click.UsageError(f"--token-file: {error.filename}: {error.strerror}") from None


def _log_calls() -> None:
    import logging  # is slow to import, and few want it

    log = logging.getLogger("haleganada_client")
    log.setLevel(logging.DEBUG)
    log.addHandler(logging.StreamHandler())


@contextmanager
def say_if_stopped(how_far: Callable[[], str]) -> Iterator[None]:
    """End the command after Ctrl+C with a line that says how far it came."""
    try:
        yield
    except KeyboardInterrupt:
        fail(f"stopped; {how_far()}", ExitCode.INTERRUPTED)


def with_session(command: F) -> F:
    """Add --json to a command, pass it a Session, and turn its errors into one line and an exit code."""

    @click.option("--json", is_flag=True, expose_value=False, callback=store_option, help="Print JSON.")
    @click.pass_obj
    @functools.wraps(command)
    def run_with_session(options: GlobalOptions, /, *args: Any, **kwargs: Any) -> Any:
        session = Session(options)
        try:
            return command(session, *args, **kwargs)
        except HaleganadaError as error:
            if error.reason == NOT_UNICODE:
                fail(_NOT_UTF8, ExitCode.USAGE)
            session.report(error)
        except BrokenPipeError:
            raise
        except OSError as error:
            fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), ExitCode.FAILURE)
        except UnicodeEncodeError:
            fail(_NOT_UTF8, ExitCode.USAGE)

    return run_with_session  # type: ignore[return-value]


def describe_server(options: GlobalOptions) -> str:
    """Return one line with the server's address and version, or with why it did not tell them."""
    session = Session(options)
    try:
        with session.client() as client:
            versions = client.stats(history_points=0).versions
            return f"server at {client.config.target}, version {versions.get('server', 'unknown')}"
    except HaleganadaError as error:
        return f"server: {name_options(error.message)}"


def to_json(value: Any) -> str:
    """Return indented JSON. File names that are not UTF-8 are escaped, so that they can always be printed."""
    return json.dumps(to_json_value(value), ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace").decode()
