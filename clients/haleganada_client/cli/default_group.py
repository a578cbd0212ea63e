"""A command with subcommands of which one is meant where none is named."""

from __future__ import annotations

import click

from .group import Settings
from .layout import printable


class DefaultGroup(click.Group):
    """`samples --label x` is `samples ls --label x`."""

    DEFAULT = "ls"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """While a shell completes, what was typed so far is left as it is."""
        first = args[0] if args else ""
        if first not in (*self.commands, *ctx.help_option_names) and not ctx.resilient_parsing:
            if first and not first.startswith("-"):
                raise click.UsageError(self._meant(ctx, first), ctx)
            args = [self.DEFAULT, *args]
        return super().parse_args(ctx, args)

    def _meant(self, ctx: click.Context, word: str) -> str:
        """What to say where a word is no command: mostly it is what one wants to see."""
        group = str(ctx.info_name)
        settings = ctx.find_object(Settings)
        if "show" in self.commands and settings is not None:
            return f"to see one, type {printable(settings.command_line(group, 'show', word))}"
        return f"{group} has no command “{printable(word)}”; choose one of {', '.join(self.commands)}"
