"""Doing the same with several things that a command line names, of which one that fails does not end the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import click

from haleganada_client.errors import NO_SERVER, HaleganadaError

from .exit_codes import ExitCode, exit_code_for, fail
from .formatting import printable
from .session import Session
from .setting_names import name_options

Thing = TypeVar("Thing")


@dataclass
class Outcomes(Generic[Thing]):
    """What became of the things: those that were done, with their results, and the errors of the others."""

    done: dict[Thing, Any] = field(default_factory=dict)
    failed: dict[Thing, HaleganadaError] = field(default_factory=dict)


def do_each(things: Sequence[Thing], do: Callable[[Thing], Any]) -> Outcomes[Thing]:
    """Do something with each thing, once. Raise HaleganadaError if that failed for the only one, or if there is no
    server; the command ends with what was done if it is interrupted.
    """
    outcomes: Outcomes[Thing] = Outcomes()
    for thing in dict.fromkeys(things):
        try:
            outcomes.done[thing] = do(thing)
        except HaleganadaError as error:
            if len(things) == 1 or error.reason == NO_SERVER:
                raise
            outcomes.failed[thing] = error
        except KeyboardInterrupt:
            fail(f"stopped; {len(outcomes.done):,} of {len(things):,} are done", ExitCode.INTERRUPTED)
    return outcomes


def end_with(session: Session, outcomes: Outcomes[Any], value: dict[str, Any], text: str) -> None:
    """Print the result, and an error line for each thing that failed. The command fails if one did."""
    failures = {str(thing): name_options(error.message) for thing, error in outcomes.failed.items()}
    if session.json or outcomes.done:
        session.show({**value, **({"failed": failures} if failures else {})}, text)
    for thing, message in failures.items():
        click.echo(f"haleganada: {printable(thing)}: {printable(message)}", err=True)
    if outcomes.failed:
        raise SystemExit(max(exit_code_for(error) for error in outcomes.failed.values()))
