"""completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print a completion script, for your shell's start-up file.

    \b
    bash  eval "$(haleganada completion bash)"   in ~/.bashrc
    zsh   eval "$(haleganada completion zsh)"    in ~/.zshrc
    fish  haleganada completion fish | source    in config.fish
    """
    from haleganada_client.cli.group import cli

    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(cli, {}, "haleganada", "_HALEGANADA_COMPLETE").source())
