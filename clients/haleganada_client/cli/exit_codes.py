"""The command line's exit codes: their numbers, what they mean, and the errors that lead to them."""

from __future__ import annotations

import sys
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
    USAGE = 2, "wrong usage"
    UNREACHABLE = 3, "the server cannot be reached or does not answer in time", (Unavailable, DeadlineExceeded)
    NOT_FOUND = 4, "not found", (NotFound,)
    CONFLICT = (
        5,
        "the present state does not allow it (nothing to undo, name taken, wrong confirmation)",
        (AlreadyExists, FailedPrecondition, RevisionMismatch),
    )
    INTERRUPTED = 130, "interrupted with Ctrl+C"


def exit_code_for(error: HaleganadaError) -> ExitCode:
    """Return the exit code of a command that an error ended; FAILURE for errors without one of their own."""
    return next((code for code in ExitCode if isinstance(error, code.errors)), ExitCode.FAILURE)


def describe_exit_codes() -> str:
    """Return one sentence with every exit code and its meaning."""
    return f"Exit codes: {'; '.join(f'{code.value} {code.meaning}' for code in ExitCode)}."


def fail(message: str, code: int) -> NoReturn:
    """Print one line to stderr and exit."""
    click.echo(f"haleganada: {printable(message)}", err=True)
    sys.exit(code)
