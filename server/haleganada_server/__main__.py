"""`python -m haleganada_server`: the commands that need the server's packages. A missing one gives one clear
sentence.
"""

from __future__ import annotations

import sys

import click

_NEEDS = {
    "serve": ("haleganada_server.serve", "serve", "pip install 'haleganada[server]'"),
    "pretrain": ("haleganada_server.training.pretrain", "pretrain", "pip install 'haleganada[train]'"),
}


class _Commands(click.Group):
    """Imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_NEEDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _NEEDS:
            return None
        module, name, install = _NEEDS[cmd_name]
        try:
            command: click.Command = getattr(__import__(module, fromlist=[name]), name)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("haleganada"):
                raise
            raise click.ClickException(f"`{cmd_name}` needs {error.name}; install it with: {install}") from None
        return command


@click.command(cls=_Commands)
def main() -> None:
    """Haleganada's server side."""


if __name__ == "__main__":
    main(prog_name="haleganada" if sys.argv[0].endswith("__main__.py") else None)
