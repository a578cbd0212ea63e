"""Limits of single callers and workspaces that differ from the server's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .limits import Scope, ShareLimits

Values = Mapping[str, float | None]
"""Fields of ShareLimits, and what they are instead; None = no limit."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """callers, workspaces: what differs for each, by name. A caller is named as for shares: by the name of the token,
    on a server without tokens by the address.
    """

    callers: Mapping[str, Values] = field(default_factory=dict)
    workspaces: Mapping[str, Values] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many callers and workspaces have limits of their own."""
        return len(self.callers) + len(self.workspaces)

    def of(self, scope: Scope) -> Mapping[str, Values]:
        """Return what differs for callers, or for workspaces."""
        return self.callers if scope is Scope.CALLER else self.workspaces

    def set(self, scope: Scope, name: str, values: Values) -> Overrides:
        """Return these with other values for one caller or workspace, which keeps what values does not have."""
        return self._exchange(scope, name, {**self.of(scope).get(name, {}), **values})

    def clear(self, scope: Scope, name: str, fields: Iterable[str] = ()) -> Overrides:
        """Return these without some of what differs for one caller or workspace; no fields = without all of it."""
        gone = set(fields)
        kept = {field: value for field, value in self.of(scope).get(name, {}).items() if gone and field not in gone}
        return self._exchange(scope, name, kept)

    def _exchange(self, scope: Scope, name: str, values: Values) -> Overrides:
        others = {other: found for other, found in self.of(scope).items() if other != name}
        found = {**others, name: values} if values else others
        return replace(self, callers=found) if scope is Scope.CALLER else replace(self, workspaces=found)


def apply(values: Values, limits: ShareLimits) -> ShareLimits:
    """Return limits with what differs from them."""
    changed: dict[str, Any] = dict(values)
    return replace(limits, **changed)
