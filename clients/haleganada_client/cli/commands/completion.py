"""completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print a completion script. Add the line for your shell to its start-up file.

    \b
    bash  ~/.bashrc       eval "$(haleganada completion bash)"
    zsh   ~/.zshrc        eval "$(haleganada completion zsh)"
    fish  config.fish     haleganada completion fish | source
    """
    from haleganada_client.cli.root import cli

    completion = get_completion_class(shell)
    if completion is not None:
        click.echo(completion(cli, {}, "haleganada", "_HALEGANADA_COMPLETE").source())
