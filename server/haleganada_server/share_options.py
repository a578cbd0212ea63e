"""Limits of shares on the command line: a profile, and NAME=VALUE for those that are to differ from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import click

from haleganada_server.core.shares.limits import BYTES, PER_SECOND, PROFILES, ShareLimits, limit_names
from haleganada_server.sizes import Size


class LimitSetting(click.ParamType[tuple[str, float | None]]):
    """NAME=VALUE, as the name of a field of ShareLimits and its value; “none” as None."""

    name = "NAME=VALUE"

    def convert(
        self, value: str | tuple[str, Any], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float | None]:
        if isinstance(value, tuple):
            return value
        name, _, text = value.partition("=")
        fields = limit_names()
        if name not in fields:
            self.fail(f"there is no limit “{name}”; the limits are {', '.join(fields)}", param, ctx)
        return fields[name], self._parse(name, text, param, ctx)

    def _parse(
        self, name: str, text: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | int | None:
        if text.casefold() == "none":
            return None
        field = limit_names()[name]
        if field.endswith(BYTES):
            return Size().convert(text, param, ctx)
        try:
            number = float(text) if field.endswith(PER_SECOND) else int(text)
        except ValueError:
            number = 0
        if not 0 < number < 1e12:
            self.fail(f"{name}=“{text}” is not a number above 0, or none", param, ctx)
        return number


def make_share_limits(profile: str | None, settings: Iterable[tuple[str, float | None]], is_local: bool) -> ShareLimits:
    """Return the limits of a server. profile: None = the one for its address. settings: fields that differ from it.
    is_local: whether only this machine can reach the server.
    """
    chosen = PROFILES[profile or ("laptop" if is_local else "box")]
    values: dict[str, Any] = dict(settings)
    return replace(chosen, **values)
