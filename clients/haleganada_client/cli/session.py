"""What every command does around its work: connect, turn errors into one line and an exit code, print for people or
programs.
"""

from __future__ import annotations

import functools
import json
import math
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from haleganada_client.errors import (
    AlreadyExists,
    DeadlineExceeded,
    FailedPrecondition,
    HaleganadaError,
    NotFound,
    RevisionMismatch,
    Unavailable,
)

from .exit_codes import fail
from .group import Settings

if TYPE_CHECKING:  # gRPC is imported by commands that call a server, when they do
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.connection import ClientConfig

F = TypeVar("F", bound=Callable[..., Any])
_EXIT: list[tuple[tuple[type[HaleganadaError], ...], int]] = [
    ((Unavailable, DeadlineExceeded), 3),
    ((NotFound,), 4),
    ((AlreadyExists, FailedPrecondition, RevisionMismatch), 5),
]


class Session:
    """One command's client and printer."""

    def __init__(self, settings: Settings, as_json: bool) -> None:
        self.json = as_json or settings.json
        self._settings = settings

    def client(self) -> HaleganadaClient:
        """A client with the shared options, to be used in a with statement."""
        from haleganada_client.client import HaleganadaClient

        return HaleganadaClient(config=config_of(self._settings))

    def command_line(self, *words: str, workspace: str | None = None) -> str:
        """See Settings: every command that people are told of is written by it."""
        return self._settings.command_line(*words, workspace=workspace)

    def show(self, value: Any, text: str) -> None:
        """Print a result: as JSON for programs, else the text."""
        click.echo(as_json(value) if self.json else text)

    def progress(self, length: int, label: str) -> Any:
        """A bar on stderr, where a person watches; to be used in a with statement."""
        return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())

    def ask(self, question: str) -> str:
        """A confirmation typed by a person; where nobody can type, the option that gives it is named."""
        if not sys.stdin.isatty():
            raise click.UsageError("nobody is there to ask; give --confirm NAME")
        return str(click.prompt(question, err=True))

    def report(self, error: HaleganadaError) -> NoReturn:
        """End with the error's line and exit code."""
        if self._settings.verbose:
            facts = {"kind": type(error).__name__, "reason": error.reason, "field": error.field, "call": error.call_id}
            click.echo(" ".join(f"{name}={value}" for name, value in facts.items() if value), err=True)
        fail(error.message, exit_code(error))


def config_of(settings: Settings) -> ClientConfig:
    """The shared options, and the environment for those that are not given."""
    from haleganada_client.connection import ClientConfig

    config = ClientConfig.from_environment()
    return replace(
        config,
        target=settings.server or config.target,
        workspace=settings.workspace or config.workspace,
        token=settings.token or config.token,
        timeout_s=settings.timeout or config.timeout_s,
    )


def with_session(command: F) -> F:
    """Adds --json to a command, hands it a Session, and ends with one line where it fails."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
    @click.pass_obj
    @functools.wraps(command)
    def wrapped(settings: Settings, /, *args: Any, as_json: bool, **kwargs: Any) -> Any:
        session = Session(settings, as_json)
        try:
            return command(session, *args, **kwargs)
        except HaleganadaError as error:
            session.report(error)
        except BrokenPipeError:
            raise
        except OSError as error:
            fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
        except UnicodeEncodeError:
            fail("what was typed is not valid UTF-8; set the terminal's character set to it", 2)

    return wrapped  # type: ignore[return-value]


def exit_code(error: HaleganadaError) -> int:
    """The exit code that tells what kind of error it was."""
    return next((code for kinds, code in _EXIT if isinstance(error, kinds)), 1)


def as_json(value: Any) -> str:
    """Indented JSON. What is not UTF-8 in a file's name becomes an escape, so that it can always be printed."""
    return json.dumps(plain(value), ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace").decode()


def plain(value: Any) -> Any:
    """Dataclasses, enums and times as JSON values; pictures are left out, and what is no number is null."""
    if is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: plain(item) for name, item in named.items() if not isinstance(item, bytes)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, datetime) else value
