"""How commands end: the exit codes, what they mean, the errors that lead to them, and the line that tells the error."""

from __future__ import annotations

import json
from enum import IntEnum
from typing import NoReturn

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

from .formatting import printable


class ExitCode(IntEnum):
    """An exit code. meaning: what --help says about it; errors: the SDK's errors that end a command with it."""

    meaning: str
    errors: tuple[type[HaleganadaError], ...]

    def __new__(cls, number: int, meaning: str, errors: tuple[type[HaleganadaError], ...] = ()) -> ExitCode:
        code = int.__new__(cls, number)
        code._value_ = number
        code.meaning, code.errors = meaning, errors
        return code

    SUCCESS = 0, "success"
    FAILURE = 1, "failure, complete or partial"
    USAGE = 2, "usage error"
    UNREACHABLE = 3, "the server cannot be reached or does not answer in time", (Unavailable, DeadlineExceeded)
    NOT_FOUND = 4, "not found", (NotFound,)
    CONFLICT = (
        5,
        "the current state does not allow it (nothing to undo, name taken, wrong confirmation)",
        (AlreadyExists, FailedPrecondition, RevisionMismatch),
    )
    INTERRUPTED = 130, "interrupted with Ctrl+C"


def exit_code_for(error: HaleganadaError) -> ExitCode:
    """Return the exit code of a command that an error ended; FAILURE for errors without one of their own."""
    return next((code for code in ExitCode if isinstance(error, code.errors)), ExitCode.FAILURE)


def describe_exit_codes() -> str:
    """Return one sentence with every exit code and its meaning."""
    return f"Exit codes: {'; '.join(f'{code.value} {code.meaning}' for code in ExitCode)}."


class CommandFailed(click.ClickException):
    """Ends a command with one line and an exit code. reason, field: those of the SDK's error, if there is one."""

    def __init__(self, message: str, code: int, reason: str = "", field: str = "") -> None:
        super().__init__(message)
        self.code, self.reason, self.field = code, reason, field


def fail(message: str, code: int, reason: str = "", field: str = "") -> NoReturn:
    """End the command with one line on stderr and an exit code."""
    raise CommandFailed(message, code, reason, field)


def print_failure(error: CommandFailed, as_json: bool) -> None:
    """Print why a command failed, as one line on stderr: for people, or as JSON."""
    if as_json:
        facts = {"message": error.message, "reason": error.reason, "field": error.field, "exit_code": error.code}
        click.echo(json.dumps({"error": facts}), err=True)
    else:
        click.echo(f"haleganada: {printable(error.message)}", err=True)
