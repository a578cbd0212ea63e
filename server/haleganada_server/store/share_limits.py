"""Limits of single callers and workspaces, in DIR/access/limits.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.shares.limits import Scope, limit_names, to_option
from haleganada_server.core.shares.overrides import Overrides, Values

from .access_file import AccessFile
from .audit import ACCESS_FOLDER

_FORMAT = 1


class LimitsFile(AccessFile[Overrides]):
    """What differs from the limits of the server; nothing without a file."""

    def __init__(self, root: Path) -> None:
        """root: the data directory."""
        advice = "put back a copy, or delete it and set the limits anew with `haleganada limits set`"
        path = root / ACCESS_FOLDER / "limits.json"
        super().__init__(path, _FORMAT, _parse, _describe, (advice, StartReason.LIMITS_UNUSABLE))


def _describe(overrides: Overrides) -> Mapping[str, Any]:
    return {
        scope.value: {
            name: {to_option(field): value for field, value in values.items()}
            for name, values in overrides.of(scope).items()
        }
        for scope in (Scope.CALLER, Scope.WORKSPACE)
    }


def _parse(fields: Mapping[str, Any]) -> Overrides:
    def parse(scope: Scope) -> Mapping[str, Values]:
        names = limit_names(scope)
        return {
            str(name): {names[option]: _optional_number(value) for option, value in values.items()}
            for name, values in fields.get(scope.value, {}).items()
        }

    return Overrides(parse(Scope.CALLER), parse(Scope.WORKSPACE))


def _optional_number(value: Any) -> float | None:
    if value is not None and not (isinstance(value, int | float) and value > 0):
        raise ValueError("no limit")
    return value
