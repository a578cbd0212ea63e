"""What every command does around its work: connect, turn errors into one line and an exit code, print for people or
programs.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

import click

from haleganada_client.client import HaleganadaClient
from haleganada_client.connection import ClientConfig
from haleganada_client.errors import (
    AlreadyExists,
    DeadlineExceeded,
    FailedPrecondition,
    HaleganadaError,
    NotFound,
    RevisionMismatch,
    Unavailable,
)

from .group import Settings

F = TypeVar("F", bound=Callable[..., Any])
_EXIT: list[tuple[type[HaleganadaError] | tuple[type[HaleganadaError], ...], int]] = [
    ((Unavailable, DeadlineExceeded), 3),
    (NotFound, 4),
    ((AlreadyExists, FailedPrecondition, RevisionMismatch), 5),
]


class Session:
    """One command's client and printer."""

    def __init__(self, settings: Settings, as_json: bool) -> None:
        self.json = as_json or settings.json
        self._settings = settings

    @contextmanager
    def client(self) -> Iterator[HaleganadaClient]:
        """A connection with the shared options; errors end the command with one line and an exit code."""
        config = ClientConfig.from_environment()
        chosen = self._settings
        config = replace(
            config,
            target=chosen.server or config.target,
            workspace=chosen.workspace or config.workspace,
            timeout_s=chosen.timeout or config.timeout_s,
        )
        try:
            with HaleganadaClient(config=config) as client:
                yield client
        except HaleganadaError as error:
            fail(error.message, exit_code(error))
        except OSError as error:
            fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)

    def show(self, value: Any, text: str) -> None:
        """Print a result: as JSON for programs, else the text."""
        click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2) if self.json else text)


def with_session(command: F) -> F:
    """Adds --json to a command and hands it a Session."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
    @click.pass_obj
    @functools.wraps(command)
    def wrapped(settings: Settings, /, *args: Any, as_json: bool, **kwargs: Any) -> Any:
        return command(Session(settings, as_json), *args, **kwargs)

    return wrapped  # type: ignore[return-value]


def fail(message: str, code: int) -> None:
    """End with one line on stderr."""
    click.echo(f"haleganada: {message}", err=True)
    sys.exit(code)


def exit_code(error: HaleganadaError) -> int:
    """The exit code that tells what kind of error it was."""
    return next((code for kinds, code in _EXIT if isinstance(error, kinds)), 1)


def plain(value: Any) -> Any:
    """Dataclasses, enums and times as JSON values; pictures are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {key: item for key, item in asdict(value).items() if key != "picture"}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else value
