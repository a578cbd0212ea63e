"""The `haleganada` command: its subcommands by task, and the options that all of them share."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module

import click

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "up": ("serving", "Start server and web page together."),
        "serve": ("serving", "Start the server that holds the model."),
        "web": ("serving", "Start the web page for a running server."),
        "doctor": ("doctor", "Check that everything works, and say what to do if not."),
    },
    "Teach and recognise": {
        "train": ("teaching", "Teach one drawing, or a folder of labelled images."),
        "predict": ("predicting", "Say what drawings are."),
        "correct": ("teaching", "Teach the drawing of an earlier prediction with its right label."),
        "link": ("teaching", "Let a label be a form of another."),
        "unlink": ("teaching", "Let a form stand for itself again."),
        "undo": ("teaching", "Take the last change back."),
    },
    "Look after": {
        "stats": ("looking", "What is known, how well, and what to teach next."),
        "samples": ("looking", "List taught samples, or save the picture of one."),
        "relabel": ("teaching", "Give a sample another label."),
        "forget": ("teaching", "Forget a sample, as if it had never been taught."),
        "save": ("keeping", "Keep the present state as a snapshot."),
        "snapshots": ("keeping", "List kept states."),
        "restore": ("keeping", "Go back to a kept state."),
        "reset": ("keeping", "Empty the workspace; its content moves to a trash."),
        "export": ("keeping", "Write everything that was taught to a file."),
        "import": ("keeping", "Teach everything in a file."),
        "workspaces": ("keeping", "List, create or delete workspaces."),
    },
    "Train": {
        "pretrain": ("serving", "Train the embedder itself (needs the train extra)."),
    },
    "Shell": {
        "completion": ("completion", "Print a script for your shell's completion."),
    },
}
EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 server cannot be reached, 4 not found, 5 state in the way."


@dataclass(frozen=True)
class Settings:
    """The shared options, None where not given."""

    server: str | None
    workspace: str | None
    timeout: float | None
    json: bool


class _Group(click.Group):
    """Finds a command's module by name and imports only that."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [name for commands in SECTIONS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        for commands in SECTIONS.values():
            if cmd_name in commands:
                module = import_module(f".{commands[cmd_name][0]}", __package__)
                command: click.Command = getattr(module, f"{cmd_name}_command")
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx  # the texts stand above, so that help imports no command
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()])


@click.group(cls=_Group, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--server", metavar="HOST:PORT", help="The server. [default: HALEGANADA_TARGET or 127.0.0.1:50051]")
@click.option("--workspace", "-w", metavar="NAME", help="The workspace. [default: HALEGANADA_WORKSPACE or default]")
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Longest wait for an answer. [default: 10]"
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs. Also allowed behind the command.")
@click.version_option(package_name="haleganada")
@click.pass_context
def cli(ctx: click.Context, server: str | None, workspace: str | None, timeout: float | None, as_json: bool) -> None:
    """Teach characters by drawing; recognise them in any script."""
    ctx.obj = Settings(server, workspace, timeout, as_json)


def main() -> None:
    """The entry point."""
    cli(prog_name="haleganada", args=sys.argv[1:])
