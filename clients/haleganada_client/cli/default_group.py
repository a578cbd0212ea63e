"""A command with subcommands, one of which runs when none is named."""

from __future__ import annotations

import click

from .formatting import printable
from .global_options import GlobalOptions


class DefaultGroup(click.Group):
    """`samples --label x` means `samples ls --label x`."""

    DEFAULT = "ls"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert the default subcommand if none is named; while a shell completes, leave the words as they are."""
        first = args[0] if args else ""
        if first not in (*self.commands, *ctx.help_option_names) and not ctx.resilient_parsing:
            if first and not first.startswith("-"):
                raise click.UsageError(self._suggest_command(ctx, first), ctx)
            args = [self.DEFAULT, *args]
        return super().parse_args(ctx, args)

    def _suggest_command(self, ctx: click.Context, word: str) -> str:
        """Return what to type instead of a word that is no command; mostly it names the thing to show."""
        group = str(ctx.info_name)
        options = ctx.find_object(GlobalOptions)
        if "show" in self.commands and options is not None:
            return f"to show one, type {printable(options.command_line(group, 'show', word))}"
        return f"{group} has no command “{printable(word)}”; choose one of {', '.join(self.commands)}"
