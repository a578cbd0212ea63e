"""The `haleganada` command: its subcommands, grouped by task, and its global options."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from .exit_codes import ExitCode, describe_exit_codes, fail
from .global_options import GlobalOptions

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "up": ("serve", "Start the server and the web page together."),
        "serve": ("serve", "Start the server."),
        "web": ("serve", "Start the web page for a running server."),
        "doctor": ("doctor", "Check the installation and the server, and say how to fix what is wrong."),
    },
    "Teach and recognize": {
        "train": ("train", "Teach one drawing, or a folder of labeled images."),
        "predict": ("predict", "Recognize drawings."),
        "correct": ("correct", "Correct an earlier prediction and learn from it."),
        "link": ("variants", "Make one label a form of another."),
        "unlink": ("variants", "Make a form a label of its own again."),
        "undo": ("correct", "Undo the last change."),
    },
    "Review": {
        "stats": ("stats", "Show what was taught, how well it is recognized, and what to teach next."),
        "samples": ("samples", "List taught samples, or show one."),
        "relabel": ("samples", "Give a sample another label."),
        "forget": ("samples", "Delete a sample, as if it had never been taught."),
        "workspaces": ("workspaces", "List, create or delete workspaces."),
        "models": ("models", "List trained models, choose the one to use, export or delete models."),
    },
    "Train on data sets": {
        "datasets": ("datasets", "List, add, show or delete data sets."),
        "fit": ("fit", "Train a model on a data set."),
        "evaluate": ("evaluate", "Evaluate models on a data set."),
        "jobs": ("jobs", "List, watch or cancel training and evaluation jobs, download their files."),
    },
    "Back up and move": {
        "save": ("snapshots", "Save a snapshot of the workspace."),
        "snapshots": ("snapshots", "List snapshots."),
        "restore": ("snapshots", "Restore a snapshot."),
        "reset": ("snapshots", "Empty the workspace and move its content to the trash."),
        "export": ("transfer", "Export everything that was taught to a file."),
        "import": ("transfer", "Import samples from a file."),
    },
    "Set up": {
        "pretrain": ("serve", "Train the embedder from scratch (needs the train extra)."),
        "completion": ("completion", "Print a completion script for your shell."),
    },
}
"""The sections of the help: their commands, each with its module in commands/ and its line in the list."""


class _LazyGroup(click.Group):
    """Imports the module of a command only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [name for commands in SECTIONS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        for commands in SECTIONS.values():
            if cmd_name in commands:
                module = import_module(f".commands.{commands[cmd_name][0]}", __package__)
                command: click.Command = getattr(module, f"{cmd_name}_command")
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx  # SECTIONS has the texts, so that help imports no command
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete names as click does, but without importing every command for its help."""
        from click.shell_completion import CompletionItem

        names = [(name, text) for commands in SECTIONS.values() for name, (_, text) in commands.items()]
        found = [CompletionItem(name, help=text) for name, text in names if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=_LazyGroup,
    epilog=describe_exit_codes(),
    invoke_without_command=True,  # for --version alone
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--server", metavar="HOST:PORT", help="The server's address. [default: $HALEGANADA_TARGET or 127.0.0.1:50051]"
)
@click.option(
    "--workspace", "-w", metavar="NAME", help="The workspace to use. [default: $HALEGANADA_WORKSPACE or default]"
)
@click.option(
    "--token",
    metavar="TEXT",
    help="The access token. Other users of this machine can see it here; prefer $HALEGANADA_TOKEN.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help="How long to wait for an answer; in commands that take longer, for a sign of life. [default: 10]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON. Can also follow the command.")
@click.option("--verbose", "-v", is_flag=True, help="Log every call, and details of errors, to stderr.")
@click.option(
    "--version", "show_version", is_flag=True, help="Print the version and exit; with --verbose, the server's too."
)
@click.pass_context
def cli(
    ctx: click.Context,
    server: str | None,
    workspace: str | None,
    token: str | None,
    timeout: float | None,
    as_json: bool,
    verbose: bool,
    show_version: bool,
) -> None:
    """Teach characters by drawing them, and recognize them, in any script.

    To connect with TLS, set $HALEGANADA_CA to a PEM file of the certificate authorities to trust.
    """
    ctx.obj = GlobalOptions(
        server=server, workspace=workspace, token=token, timeout=timeout, json=as_json, verbose=verbose
    )
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    if show_version:
        click.echo(_describe_version(ctx.obj))
        ctx.exit()
    if ctx.invoked_subcommand is None:
        raise click.UsageError("name a command", ctx)
    if verbose:
        _log_calls()


def _describe_version(options: GlobalOptions) -> str:
    from importlib import metadata  # takes a third of the time of --help

    version = f"haleganada, version {metadata.version('haleganada')}"
    if not options.verbose:
        return version
    from .session import describe_server

    return f"{version}\n{describe_server(replace(options, verbose=False))}"


def _log_calls() -> None:
    import logging

    log = logging.getLogger("haleganada_client")
    log.setLevel(logging.DEBUG)
    log.addHandler(logging.StreamHandler())


def run(command: click.Command) -> NoReturn:
    """Run a command as the program. Errors of usage, which click would print on several lines, take one."""
    try:
        code = command(prog_name="haleganada", args=sys.argv[1:] or ["--help"], standalone_mode=False)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "haleganada"
        fail(f"{error.format_message()} (see {where} --help)", error.exit_code)
    except click.ClickException as error:
        fail(error.format_message(), error.exit_code)
    except click.Abort:
        fail("stopped", ExitCode.INTERRUPTED)
    except BrokenPipeError:  # the next program in the pipe, for example `head`, has stopped reading
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing may be written at exit, either
        sys.exit(ExitCode.FAILURE)
    sys.exit(code if isinstance(code, int) else ExitCode.SUCCESS)


def main() -> None:
    """Run the command line; the entry point of the package."""
    run(cli)
