"""`haleganada limits`: gives single callers and workspaces other limits than the server's, on its machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from haleganada_server.core.access.identity import ENVIRONMENT
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.shares.limits import BYTES, Scope, limit_names, scope_of, to_option
from haleganada_server.core.shares.overrides import Overrides, Values
from haleganada_server.share_options import LimitSetting
from haleganada_server.store.share_limits import LimitsFile
from haleganada_server.store.tokens import TokenFile

from .access import data_option, end_with_errors, json_option, note

_caller_option = click.option(
    "--caller",
    metavar="NAME",
    help="The name of a token; on a server without tokens, an IPv4 address or an IPv6 network.",
)
_workspace_option = click.option("--workspace", "-w", metavar="NAME", help="A workspace.")


@click.group()
def limits() -> None:
    """Set, list and clear limits of single callers and workspaces.

    All others have the server's limits (serve --profile and --limit). A server may run meanwhile; it takes over changes
    within a second. Limits belong to names: they stay when a token is replaced by a new one, or a workspace is deleted.
    """


@limits.command("set")
@click.argument("settings", nargs=-1, required=True, type=LimitSetting())
@_caller_option
@_workspace_option
@data_option
def set_limits(
    settings: tuple[tuple[str, float | None], ...], caller: str | None, workspace: str | None, data: Path
) -> None:
    """Set limits of one caller or one workspace, for example --caller anna calls-per-second=20, or --workspace kannada
    workspace-samples=500000 workspace-bytes=10G. The value “none” means no limit.
    """
    with end_with_errors("limits set"):
        scope, name = _find_holder(caller, workspace)
        for field, _value in settings:
            _require_scope(field, scope)
        LimitsFile(data).change(lambda before: before.set(scope, name, dict(settings)))
        _finish(data, "set", scope, name)
        if scope is Scope.CALLER:
            _warn_without_token(data, name)


@limits.command("clear")
@click.argument("names", nargs=-1, metavar="[LIMIT]...")
@_caller_option
@_workspace_option
@data_option
def clear(names: tuple[str, ...], caller: str | None, workspace: str | None, data: Path) -> None:
    """Give one caller or one workspace the server's limits again: the limits that are named, or all."""
    with end_with_errors("limits clear"):
        scope, name = _find_holder(caller, workspace)
        known = limit_names(scope)
        for one in names:
            if one not in known:
                raise click.ClickException(f"there is no limit “{one}” here; the limits are {', '.join(known)}")

        def without(before: Overrides) -> Overrides:
            if name not in before.of(scope):
                raise click.ClickException(f"“{name}” has no limits of its own; see haleganada limits list")
            return before.clear(scope, name, [known[one] for one in names])

        LimitsFile(data).change(without)
        _finish(data, "clear", scope, name)


@limits.command("list")
@data_option
@json_option
def list_limits(data: Path, as_json: bool) -> None:
    """List the callers and workspaces that have limits of their own."""
    with end_with_errors("limits list"):
        found = LimitsFile(data).read()
    if as_json:
        scopes = (Scope.CALLER, Scope.WORKSPACE)
        listed = {scope.value: {name: _to_json(values) for name, values in found.of(scope).items()} for scope in scopes}
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2))
    elif not found:
        click.echo("Nobody has limits of their own: those of the server hold for all.")
    else:
        for line in _list_lines(found):
            click.echo(line)


def _find_holder(caller: str | None, workspace: str | None) -> tuple[Scope, str]:
    """Return whose limits are meant. Raises click.ClickException, InvalidInput."""
    if (caller is None) == (workspace is None):
        raise click.ClickException("say whose limits: --caller NAME or --workspace NAME")
    if caller is not None:
        return Scope.CALLER, normalize_label(caller, "caller")
    return Scope.WORKSPACE, normalize_label(workspace or "", "workspace")


def _require_scope(field: str, scope: Scope) -> None:
    """Raise click.ClickException for a limit that a caller, or a workspace, cannot have."""
    if scope_of(field) is not scope:
        has = {Scope.CALLER: "a limit of a caller", Scope.WORKSPACE: "a limit of a workspace"}
        meant = has.get(scope_of(field), "one of the whole server, for `serve --limit`")
        raise click.ClickException(
            f"{to_option(field)} is {meant}; those of {'callers' if scope is Scope.CALLER else 'workspaces'} are "
            f"{', '.join(limit_names(scope))}"
        )


def _finish(data: Path, command: str, scope: Scope, name: str) -> None:
    """Keep a change in the audit trail, and print what holds now."""
    summary = _summarize(scope, name, LimitsFile(data).read().of(scope).get(name, {}))
    note(data, f"limits {command}", summary, name if scope is Scope.WORKSPACE else "")
    click.echo(summary)


def _warn_without_token(data: Path, name: str) -> None:
    tokens = {token.name for token in TokenFile(data).read()} | {ENVIRONMENT.name}
    if len(tokens) > 1 and name not in tokens:
        click.echo(f"There is no token “{name}” yet; haleganada tokens list shows their names.", err=True)


def _list_lines(found: Overrides) -> Iterator[str]:
    for scope in (Scope.CALLER, Scope.WORKSPACE):
        for name, values in sorted(found.of(scope).items()):
            yield _summarize(scope, name, values)


def _summarize(scope: Scope, name: str, values: Values) -> str:
    """Return a line for people, for example "caller anna: calls-per-second 20"."""
    who = f"{'caller' if scope is Scope.CALLER else 'workspace'} {name}"
    described = (f"{to_option(field)} {_describe(field, value)}" for field, value in values.items())
    return f"{who}: {', '.join(described) or 'the limits of the server'}"


def _describe(field: str, value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value / 2**20:,.6g} MiB" if field.endswith(BYTES) else f"{value:,.15g}"


def _to_json(values: Values) -> dict[str, float | None]:
    return {to_option(field): value for field, value in values.items()}
