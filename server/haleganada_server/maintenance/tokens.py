"""`haleganada tokens`: makes, lists, expires and revokes the tokens of a server, on its machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from haleganada_server.core.access.identity import ROLE_WORDS, Role
from haleganada_server.core.access.tokens import DAY_US, Token, make_token
from haleganada_server.core.clock import now_us
from haleganada_server.store.tokens import TokenFile

from .access import data_option, end_with_errors, json_option, note

_DEFAULT_DAYS = 365.0
_named_argument = click.argument("token", metavar="NAME|ID")


@click.group()
def tokens() -> None:
    """Make, list, expire and revoke tokens, which say who may use the server, and for what.

    A server may run meanwhile; it takes over changes within a second. Once there is a token, every call needs one, even
    when all tokens have been revoked. Roles: read (recognize and look), teach (and change what workspaces know), train
    (and use data sets, jobs and models), admin (everything).
    """


@tokens.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLE_WORDS), required=True, help="What the token allows.")
@click.option(
    "--workspace",
    "-w",
    "workspaces",
    multiple=True,
    metavar="NAME",
    help="A workspace that it gives access to. Can be repeated. [default: all]",
)
@click.option(
    "--days",
    type=click.FloatRange(0, 36_500, min_open=True),
    default=_DEFAULT_DAYS,
    show_default=True,
    help="Days until it expires.",
)
@click.option("--never-expires", is_flag=True, help="Keep it valid until it is revoked.")
@data_option
@json_option
def add(
    name: str, role: str, workspaces: tuple[str, ...], days: float, never_expires: bool, data: Path, as_json: bool
) -> None:
    """Make a token and print it. It is shown only this once: the server keeps only a hash of it.

    NAME says whose it is; what is taught and deleted with it is recorded under this name.
    """
    with end_with_errors("tokens add"):
        made, shown = make_token(name, Role.of(role), workspaces, None if never_expires else days)

        def include(before: Sequence[Token]) -> Sequence[Token]:
            if any(token.name == made.name and token.is_usable(made.created_us) for token in before):
                raise click.ClickException(f"there is a token “{made.name}” already; revoke it, or choose another name")
            return [*before, made]

        TokenFile(data).change(include)
        note(data, "token add", _summarize(made))
    if as_json:
        click.echo(json.dumps({"token": shown, **_describe(made)}, ensure_ascii=False))
    else:
        click.echo(shown)
        click.echo(f"This token of {_summarize(made)} is shown only now.", err=True)


@tokens.command("list")
@data_option
@json_option
def list_tokens(data: Path, as_json: bool) -> None:
    """List all tokens, also expired and revoked ones. The tokens themselves cannot be shown again."""
    with end_with_errors("tokens list"):
        found = TokenFile(data).read()
    if as_json:
        click.echo(json.dumps([_describe(token) for token in found], ensure_ascii=False, indent=2))
    elif not found:
        click.echo("There are no tokens: whoever can reach the server may do everything.")
    else:
        for token in found:
            click.echo(f"{token.token_id}  {_summarize(token)}")


@tokens.command("expire")
@_named_argument
@click.option("--days", type=click.FloatRange(0, 36_500), default=0.0, help="Days from now. [default: now]")
@data_option
def expire(token: str, days: float, data: Path) -> None:
    """Make a token expire now, or on another day."""
    at_us = now_us() + int(days * DAY_US)
    changed = _change_one(token, data, "expire", lambda found: found.expire(at_us))
    click.echo(_summarize(changed))


@tokens.command("revoke")
@_named_argument
@data_option
def revoke(token: str, data: Path) -> None:
    """Revoke a token for good, and end the streams that are open with it."""
    click.echo(_summarize(_change_one(token, data, "revoke", Token.revoke)))


def _change_one(named: str, data: Path, command: str, change: Callable[[Token], Token]) -> Token:
    """Change the token of this id, or the valid one of this name, and return it."""
    changed: list[Token] = []

    def replace(before: Sequence[Token]) -> Sequence[Token]:
        found = next((token for token in before if token.token_id == named), None) or next(
            (token for token in reversed(before) if token.name == named and token.revoked_us is None), None
        )
        if found is None or found.revoked_us is not None:
            raise click.ClickException(f"there is no token “{named}” that is not revoked; see haleganada tokens list")
        changed.append(change(found))
        return [changed[0] if token is found else token for token in before]

    with end_with_errors(f"tokens {command}"):
        TokenFile(data).change(replace)
        note(data, f"token {command}", _summarize(changed[0]))
    return changed[0]


def _describe(token: Token) -> dict[str, Any]:
    return {
        "token_id": token.token_id,
        "name": token.name,
        "role": token.role.word,
        "workspaces": list(token.workspaces),
        "created": _format_time(token.created_us),
        "expires": _format_time(token.expires_us),
        "revoked": _format_time(token.revoked_us),
        "usable": token.is_usable(now_us()),
    }


def _summarize(token: Token) -> str:
    """Return a line for people, for example "anna: teach in kannada, expires 2027-01-31"."""
    where = ", ".join(token.workspaces) or "all workspaces"
    if token.revoked_us is not None:
        state = f"revoked {_format_day(token.revoked_us)}"
    elif token.expires_us is None:
        state = "never expires"
    else:
        state = f"{'expired' if token.is_expired(now_us()) else 'expires'} {_format_day(token.expires_us)}"
    return f"{token.name}: {token.role.word} in {where}, {state}"


def _format_time(time_us: int | None) -> str | None:
    return None if time_us is None else datetime.fromtimestamp(time_us / 1e6, timezone.utc).isoformat("T", "seconds")


def _format_day(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, timezone.utc).strftime("%Y-%m-%d")
