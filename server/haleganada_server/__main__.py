"""`python -m haleganada_server`: the server's commands, each imported only when it is called."""

from __future__ import annotations

import importlib
import os
import sys

import click

_COMMANDS = {
    "serve": ("haleganada_server.serve", "server", "Start the server."),
    "pretrain": (
        "haleganada_server.training.pretrain.command",
        "train",
        "Train the embedder from scratch, from open data.",
    ),
    "starter-data": (
        "haleganada_server.training.starter.dataset",
        "train",
        "Collect digits and letters for the starter model.",
    ),
}


class LazyGroup(click.Group):
    """Imports a command only when it is needed, and says which extra is missing if that fails."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, extra, _help = _COMMANDS[cmd_name]
        # numpy's matrices are small here: its threads would only take cores from the network. numpy reads this variable
        # when it is loaded, so main(), which click calls after importing the command, would be too late.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        try:
            command = getattr(importlib.import_module(module), cmd_name.replace("-", "_"))
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("haleganada"):
                raise
            raise click.ClickException(
                f"{cmd_name} needs {error.name}, which is not installed: pip install 'haleganada[{extra}]'"
            ) from error
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])


@click.group(cls=LazyGroup)
def main() -> None:
    """The Haleganada server."""


if __name__ == "__main__":
    main(prog_name="haleganada" if sys.argv[1:2] in (["serve"], ["pretrain"]) else "python -m haleganada_server")
