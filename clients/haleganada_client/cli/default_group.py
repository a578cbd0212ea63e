"""A command with subcommands, one of which runs when none is named."""

from __future__ import annotations

import click

from .formatting import printable
from .global_options import GlobalOptions, count_global_words
from .suggestions import describe_unknown_command

_HELP = "help"
_ALIASES = {"list": "ls"}


class DefaultGroup(click.Group):
    """`samples --label x` means `samples ls --label x`; `samples list` and `samples help` are understood, too."""

    DEFAULT = "ls"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert the default subcommand if none is named; while a shell completes, leave the words as they are."""
        at = count_global_words(args)
        first = args[at] if at < len(args) else ""
        if first in _ALIASES and first not in self.commands:
            args = [*args[:at], _ALIASES[first], *args[at + 1 :]]
        elif first == _HELP:
            args = [*args[at + 1 : at + 2], "--help"]
        elif first not in (*self.commands, *ctx.help_option_names) and not ctx.resilient_parsing:
            if first and not first.startswith("-"):
                raise click.UsageError(self._suggest_command(ctx, first), ctx)
            args = [*args[:at], self.DEFAULT, *args[at:]]
        return super().parse_args(ctx, args)

    def _suggest_command(self, ctx: click.Context, word: str) -> str:
        """Return what to type instead of a word that is no command; mostly it names the thing to show."""
        group = str(ctx.info_name)
        unknown = describe_unknown_command(word, self.commands)
        options = ctx.find_object(GlobalOptions)
        if "show" in self.commands and options is not None and "did you mean" not in unknown:
            return f"to show one, type {printable(options.command_line(group, 'show', word))}"
        return unknown
