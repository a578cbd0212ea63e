"""The `haleganada` command: its subcommands, grouped by task, and its global options."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from .exit_codes import CommandFailed, ExitCode, describe_exit_codes, print_failure
from .global_options import OPTIONS, GlobalOptions, accept_global_options, count_global_words
from .suggestions import describe_unknown_command, describe_unknown_option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "up": ("starting.serve", "Start the server and the web page together."),
        "serve": ("starting.serve", "Start the server."),
        "web": ("starting.serve", "Start the web page for a running server."),
        "connect": ("starting.connect", "Connect to a server from now on, or list connections."),
        "disconnect": ("starting.connect", "Forget a connection and its token."),
        "ping": ("starting.ping", "Check whether the server takes calls."),
        "doctor": ("starting.doctor", "Check the installation and the server, and say how to fix what is wrong."),
    },
    "Teach and recognize": {
        "train": ("teaching.train", "Teach one drawing, or a folder of labeled images."),
        "outbox": ("outbox", "List, send or discard drawings that wait for their server."),
        "predict": ("teaching.predict", "Recognize drawings."),
        "correct": ("teaching.correct", "Correct an earlier prediction and learn from it."),
        "link": ("teaching.variants", "Make one label a form of another."),
        "unlink": ("teaching.variants", "Make a form a label of its own again."),
        "links": ("teaching.variants", "List the groups of forms."),
        "undo": ("teaching.correct", "Undo the last change."),
    },
    "Read lines and pages": {
        "read": ("reading.read", "Read the text of scans, photos and PDFs."),
        "segment": ("reading.segment", "Find lines, words and glyphs, and write pictures of them."),
        "engines": ("reading.engines", "List the engines that read text, and what to install for them."),
        "readings": ("reading.readings", "List, show, export, import or delete readings that the server keeps."),
        "correct-reading": ("reading.correct_reading", "Correct a page in a script that you have taught."),
    },
    "Work on many files": {
        "bulk": ("starting.serve", "Predict, embed, read or teach many files at once (needs the bulk extra)."),
    },
    "Review": {
        "stats": ("stats", "Show what was taught, how well it is recognized, and what to teach next."),
        "top": ("top", "Watch how busy the server is."),
        "samples": ("teaching.samples", "List taught samples, or show one."),
        "characters": ("teaching.characters", "Show code points, Unicode names and scripts of a text."),
        "relabel": ("teaching.samples", "Give a sample another label."),
        "forget": ("teaching.samples", "Delete a sample, as if it had never been taught."),
        "workspaces": ("workspaces", "List, create or delete workspaces."),
        "models": ("training.models", "List trained models, choose the one to use, export or delete models."),
    },
    "Train on data sets": {
        "datasets": ("training.datasets", "List, add, show or delete data sets."),
        "fit": ("training.fit", "Train a model on a data set."),
        "evaluate": ("training.evaluate", "Evaluate models on a data set."),
        "jobs": ("training.jobs", "List, watch or cancel training and evaluation jobs, download their files."),
    },
    "Back up and move": {
        "save": ("snapshots", "Save a snapshot of the workspace."),
        "snapshots": ("snapshots", "List, delete or prune snapshots."),
        "restore": ("snapshots", "Restore a snapshot."),
        "reset": ("snapshots", "Empty the workspace and move its content to the trash."),
        "backup": ("starting.serve", "Copy the server's whole data directory, also while it runs."),
        "verify": ("starting.serve", "Check every file of the server's data directory."),
        "repair": ("starting.serve", "Save what is left of a damaged workspace."),
        "migrate": ("starting.serve", "Move everything that was taught to a database for several servers, or back."),
        "export": ("transfer", "Export everything that was taught to a file."),
        "import": ("transfer", "Import samples from a file."),
    },
    "Set up": {
        "audit": ("starting.serve", "List who taught, forgot, reset, exported, and changed tokens."),
        "tokens": ("starting.serve", "Make, list, expire and revoke tokens, which say who may use the server."),
        "limits": ("starting.serve", "Give single callers and workspaces other limits than the server's."),
        "pretrain": ("starting.serve", "Train the embedder from scratch (needs the train extra)."),
        "completion": ("completion", "Print a completion script for your shell."),
    },
}
"""The sections of the help: their commands, each with its module in commands/ and its line in the list."""


_GROUPS = ("datasets", "jobs", "models", "outbox", "readings", "samples", "snapshots", "workspaces")


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
                command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
                if not command.context_settings.get(
                    "ignore_unknown_options"
                ):  # those are passed on to the server's program
                    accept_global_options(command)
                return command
        return None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Understand `help` and `help COMMAND` as --help."""
        at = count_global_words(args)
        if args[at : at + 1] == ["help"]:
            args = [*args[at + 1 :], "--help"]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names. Raise click.UsageError, with what the word may stand for."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            problem = describe_unknown_command(error.command_name, self.list_commands(ctx), _GROUPS)
            raise click.UsageError(problem, ctx) from None

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
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda word: word.replace("_", "-"),  # --top_k is --top-k
    },
)
@click.option(
    "--version", "show_version", is_flag=True, help="Print the version and exit; with --verbose, the server's too."
)
@click.pass_context
def cli(ctx: click.Context, show_version: bool) -> None:
    """Teach characters by drawing them, and recognize them, in any script.

    The options below may also follow the command.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    if show_version:
        click.echo(_describe_version(ctx.find_object(GlobalOptions) or GlobalOptions()))
        ctx.exit()
    if ctx.invoked_subcommand is None:
        raise click.UsageError("name a command", ctx)


cli.params[:0] = OPTIONS


def _describe_version(options: GlobalOptions) -> str:
    from importlib import metadata  # takes a third of the time of --help

    version = f"haleganada, version {metadata.version('haleganada')}"
    if not options.verbose:
        return version
    from .session import describe_server

    return f"{version}\n{describe_server(replace(options, verbose=False))}"


def run(command: click.Command) -> NoReturn:
    """Run a command as the program. Errors of usage, which click would print on several lines, take one."""
    words = sys.argv[1:]
    try:
        code = command(prog_name="haleganada", args=words or ["--help"], standalone_mode=False)
    except click.Abort:
        _end(CommandFailed("stopped", ExitCode.INTERRUPTED), words)
    except click.ClickException as error:
        _end(_to_failure(error), words)
    except BrokenPipeError:  # the next program in the pipe, for example `head`, has stopped reading
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing may be written at exit, either
        sys.exit(ExitCode.FAILURE)
    sys.exit(code if isinstance(code, int) else ExitCode.SUCCESS)


def _to_failure(error: click.ClickException) -> CommandFailed:
    if isinstance(error, CommandFailed):
        return error
    message = error.format_message()
    if isinstance(error, click.NoSuchOption):
        message = describe_unknown_option(error)
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "haleganada"
        message = f"{message} (see {where} --help)"
    return CommandFailed(message, error.exit_code)


def _end(failure: CommandFailed, words: Sequence[str]) -> NoReturn:
    """Print the failure, as JSON if the command line asks for it, which it may do behind what is wrong with it."""
    print_failure(failure, as_json="--json" in words)
    sys.exit(failure.code)


def main() -> None:
    """Run the command line; the entry point of the package."""
    run(cli)
