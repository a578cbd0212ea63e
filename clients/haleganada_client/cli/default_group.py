"""A command with subcommands of which one is meant where none is named."""

from __future__ import annotations

import click


class DefaultGroup(click.Group):
    """`samples --label x` is `samples ls --label x`."""

    DEFAULT = "ls"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """While a shell completes, what was typed so far is left as it is."""
        first = args[0] if args else ""
        if first not in (*self.commands, *ctx.help_option_names) and not ctx.resilient_parsing:
            args = [self.DEFAULT, *args]
        return super().parse_args(ctx, args)
