"""The `haleganada` command: its subcommands by task, and the options that all of them share."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import click

from .exit_codes import run

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "up": ("serve", "Start server and web page together."),
        "serve": ("serve", "Start the server that holds the model."),
        "web": ("serve", "Start the web page for a running server."),
        "doctor": ("doctor", "Check that everything works, and say what to do if not."),
    },
    "Teach and recognise": {
        "train": ("train", "Teach one drawing, or a folder of labeled images."),
        "predict": ("predict", "Say what drawings are."),
        "correct": ("correct", "Teach the drawing of an earlier prediction with its right label."),
        "link": ("correct", "Let a label be a form of another."),
        "unlink": ("correct", "Let a form stand for itself again."),
        "undo": ("correct", "Take the last change back."),
    },
    "Look after": {
        "stats": ("stats", "What is known, how well, and what to teach next."),
        "samples": ("samples", "List taught samples, or show one."),
        "relabel": ("correct", "Give a sample another label."),
        "forget": ("correct", "Forget a sample, as if it had never been taught."),
        "workspaces": ("workspaces", "List, create or delete workspaces."),
        "models": ("models", "List trained models, choose what answers, export or delete."),
    },
    "Train on data sets": {
        "datasets": ("datasets", "List data sets, add, look at or delete one."),
        "fit": ("fit", "Train a model on a data set."),
        "evaluate": ("evaluate", "Measure models on a data set."),
        "jobs": ("jobs", "List, watch or cancel trainings and evaluations, fetch their files."),
    },
    "Keep and move": {
        "save": ("snapshots", "Keep the present state as a snapshot."),
        "snapshots": ("snapshots", "List kept states."),
        "restore": ("snapshots", "Go back to a kept state."),
        "reset": ("snapshots", "Empty the workspace; its content moves to a trash."),
        "export": ("transfer", "Write everything that was taught to a file."),
        "import": ("transfer", "Teach everything in a file."),
    },
    "Build": {
        "pretrain": ("serve", "Train the embedder itself (needs the train extra)."),
        "completion": ("completion", "Print a script for your shell's completion."),
    },
}
EXIT_CODES = (
    "Exit codes: 0 done; 1 failed, in part or whole; 2 wrong usage; 3 the server cannot be reached or does not answer "
    "in time; 4 not found; 5 the state is in the way (nothing to undo, name taken, wrong confirmation); 130 stopped "
    "by Ctrl+C."
)


@dataclass(frozen=True)
class Settings:
    """The shared options, None where not given."""

    server: str | None
    workspace: str | None
    token: str | None
    timeout: float | None
    json: bool
    verbose: bool

    def command_line(self, *words: str, workspace: str | None = None) -> str:
        """A command as one types it to reach the same server and workspace, or the one that is named here.

        Only what was given by option is repeated, for the environment's holds then, too; a token is never shown.
        """
        workspace = workspace or self.workspace
        shared = [*(["--server", self.server] if self.server else []), *(["-w", workspace] if workspace else [])]
        return shlex.join(["haleganada", *shared, *words])


class _Group(click.Group):
    """Finds a command's module by name and imports only that."""

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
        del ctx  # the texts stand above, so that help imports no command
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """As click does it, but without importing every command for its help."""
        from click.shell_completion import CompletionItem

        names = [(name, text) for commands in SECTIONS.values() for name, (_, text) in commands.items()]
        found = [CompletionItem(name, help=text) for name, text in names if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)


@click.group(cls=_Group, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--server", metavar="HOST:PORT", help="The server. [default: $HALEGANADA_TARGET or 127.0.0.1:50051]")
@click.option("--workspace", "-w", metavar="NAME", help="The workspace. [default: $HALEGANADA_WORKSPACE or default]")
@click.option("--token", metavar="TEXT", help="Shown to the server. [default: $HALEGANADA_TOKEN, which is safer]")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help="Longest wait for an answer; where there is more to do, for the server. [default: 10]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs. Also allowed behind the command.")
@click.option("--verbose", "-v", is_flag=True, help="Tell of every call, and more of errors, on standard error.")
@click.version_option(package_name="haleganada")
@click.pass_context
def cli(
    ctx: click.Context,
    server: str | None,
    workspace: str | None,
    token: str | None,
    timeout: float | None,
    as_json: bool,
    verbose: bool,
) -> None:
    """Teach characters by drawing; recognise them in any script.

    Certificate authorities for TLS are named in $HALEGANADA_CA.
    """
    ctx.obj = Settings(server, workspace, token, timeout, as_json, verbose)
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    if verbose:
        _tell_of_calls()


def _tell_of_calls() -> None:
    import logging

    log = logging.getLogger("haleganada_client")
    log.setLevel(logging.DEBUG)
    log.addHandler(logging.StreamHandler())


def main() -> None:
    """The entry point."""
    run(cli)
