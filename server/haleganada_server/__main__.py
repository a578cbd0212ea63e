"""`python -m haleganada_server`: the server's commands, each imported only when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from difflib import get_close_matches
from itertools import pairwise

import click

from haleganada_server.core.installation import describe_install

_UNSAFE = ("--insecure",)
_MIN_SIMILARITY = 0.75  # a slip of the finger; less finds --insecure for --server
_COMMANDS = {
    "serve": ("haleganada_server.serve", "server", "Start the server."),
    "backup": ("haleganada_server.maintenance.backup", "server", "Copy the data directory, also while a server runs."),
    "verify": ("haleganada_server.maintenance.verify", "server", "Check every file of the data directory."),
    "migrate": (
        "haleganada_server.maintenance.migrate",
        "server",
        "Move what was taught from a data directory to a database, or back.",
    ),
    "audit": ("haleganada_server.maintenance.audit", "server", "List who did what."),
    "limits": ("haleganada_server.maintenance.limits", "server", "Give single callers and workspaces other limits."),
    "tokens": ("haleganada_server.maintenance.tokens", "server", "Make, list, expire and revoke access tokens."),
    "repair": ("haleganada_server.maintenance.repair", "server", "Save what is left of a damaged workspace."),
    "bulk": ("haleganada_server.bulk.command", "bulk", "Predict, embed, read or teach many files at once, on Ray."),
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
    "render-lines": (
        "haleganada_server.training.lines.rendering.command",
        "train",
        "Draw lines of a text with fonts, as a data set.",
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
                f"{cmd_name} needs {error.name}, which is not installed: {describe_install(extra)}"
            ) from error
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command. Whoever asks for a log of JSON gets no lines of gRPC's between, which reads this variable
        when it is imported.
        """
        if "--log-format=json" in args or ("--log-format", "json") in pairwise(args):
            os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. What click proposes for an unknown option must be spelled nearly so, and never be unsafe."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            close = get_close_matches(error.option_name, error.possibilities or [], 1, _MIN_SIMILARITY)
            meant = [option for option in close if option not in _UNSAFE]
            hint = f"did you mean {meant[0]}?" if meant else f"see haleganada {ctx.invoked_subcommand} --help"
            raise click.UsageError(f"there is no option {error.option_name}; {hint}") from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])


@click.group(cls=LazyGroup)
def main() -> None:
    """The Haleganada server."""


if __name__ == "__main__":
    called_directly = sys.argv[1:2] in (["starter-data"], ["render-lines"])
    main(prog_name="python -m haleganada_server" if called_directly else "haleganada")
