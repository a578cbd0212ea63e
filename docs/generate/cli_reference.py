"""docs/reference/cli.md: every command with its usage, options and examples, from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc

import click
from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.root import SECTIONS, cli
from haleganada_server.bulk.command import bulk
from haleganada_server.maintenance.audit import audit
from haleganada_server.maintenance.backup import backup
from haleganada_server.maintenance.limits import limits
from haleganada_server.maintenance.migrate import migrate
from haleganada_server.maintenance.repair import repair
from haleganada_server.maintenance.tokens import tokens
from haleganada_server.maintenance.verify import verify
from haleganada_server.serve import serve

from docs.generate.markdown import anchor, code_block, table

_OF_THE_SERVER: dict[str, click.Command] = {
    "serve": serve,
    "backup": backup,
    "verify": verify,
    "repair": repair,
    "migrate": migrate,
    "tokens": tokens,
    "limits": limits,
    "audit": audit,
    "bulk": bulk,
}
_WIDTH = 400  # columns of a usage line: none is wrapped
_INTRODUCTION = """\
# The command line

Commands are grouped as in `haleganada --help`. Global options come before the command's name or
after it, all others after it. Every command has `--help`; `haleganada help COMMAND` is the same."""


def render() -> str:
    """Return the page."""
    root = _context(cli, "haleganada")
    parts = [_INTRODUCTION, _contents()]
    parts += ["## Global options", code_block(_usage(root)), *_paragraphs(cli.help or ""), _options(root)]
    parts += ["## Exit codes", table(["code", "meaning"], [[str(code.value), code.meaning] for code in ExitCode])]
    for title, commands in SECTIONS.items():
        parts.append(f"## {title}")
        for name in commands:
            parts += _describe(name, root)
    return "\n\n".join(parts)


def _contents() -> str:
    """Return links to the commands, a line for each section."""
    lines = []
    for title, commands in SECTIONS.items():
        links = ", ".join(f"[{name}](#{anchor(f'haleganada {name}')})" for name in commands)
        lines.append(f"- {title}: {links}")
    return "\n".join(lines)


def _describe(name: str, parent: click.Context, level: int = 3) -> Iterator[str]:
    """Yield the parts of a command's section, and those of its subcommands."""
    group = parent.command
    assert isinstance(group, click.Group)
    if name == "pretrain":  # its options are known only where torch is installed
        yield f"{'#' * level} haleganada pretrain"
        yield f"{SECTIONS['Set up']['pretrain'][1]} `haleganada pretrain --help` lists its options."
        return
    command = _OF_THE_SERVER.get(name) or group.get_command(parent, name)
    assert command is not None
    context = _context(command, name, parent)
    yield f"{'#' * level} {context.command_path}"
    yield code_block(_usage(context))
    yield from _paragraphs(command.help or "")
    if options := _options(context):
        yield options
    if isinstance(command, click.Group):
        for subcommand in command.list_commands(context):
            yield from _describe(subcommand, context, level + 1)


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, terminal_width=_WIDTH, max_content_width=_WIDTH)


def _usage(context: click.Context) -> str:
    return context.get_usage().removeprefix("Usage: ")


def _paragraphs(text: str) -> Iterator[str]:
    r"""Yield the paragraphs of a help text as Markdown; those after a line \b, which click does not wrap, as code."""
    for paragraph in re.split(r"\n\s*\n", cleandoc(text)):
        if paragraph.startswith("\b\n"):
            yield code_block(paragraph.removeprefix("\b\n"))
        else:
            yield " ".join(paragraph.split())


def _options(context: click.Context) -> str:
    """Return a table of a command's options, without --help; "" if there are none."""
    rows = []
    for parameter in context.command.get_params(context):
        if "--help" in parameter.opts or not (record := parameter.get_help_record(context)):
            continue
        names, text = record
        rows.append([f"`{names}`", text])
    return table(["option", ""], rows) if rows else ""
