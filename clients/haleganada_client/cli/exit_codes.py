"""How the command line ends where something is wrong: one line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from .layout import printable

STOPPED = 130
"""After Ctrl+C, as shells have it."""


def fail(message: str, code: int) -> NoReturn:
    """End with one line on stderr."""
    click.echo(f"haleganada: {printable(message)}", err=True)
    sys.exit(code)


def run(command: click.Command) -> NoReturn:
    """Run a command as the program; what click would tell in several lines is one, too."""
    try:
        code = command(prog_name="haleganada", args=sys.argv[1:] or ["--help"], standalone_mode=False)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "haleganada"
        fail(f"{error.format_message()} (see {where} --help)", error.exit_code)
    except click.ClickException as error:
        fail(error.format_message(), error.exit_code)
    except click.Abort:
        fail("stopped", STOPPED)
    except BrokenPipeError:  # the reader, for example `head`, has seen enough; nothing may be written at exit, either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
