"""The limits that hold: those of the server, and for some callers and workspaces others, also while these change."""

from __future__ import annotations

from collections.abc import Mapping

from haleganada_server.core.watched import Source, Watched

from .limits import Scope, ShareLimits, limit_names
from .overrides import Overrides, apply
from .quotas import WorkspaceQuotas


class EffectiveLimits:
    """What each caller and each workspace may use. Safe from any thread, look() from one at a time."""

    def __init__(self, limits: ShareLimits, source: Source[Overrides]) -> None:
        """limits: of all who have none of their own. Raises HaleganadaError or OSError if others cannot be read."""
        self._limits, self._quotas = limits, WorkspaceQuotas.of(limits)
        self._callers: Mapping[str, ShareLimits] = {}
        self._workspaces: Mapping[str, WorkspaceQuotas] = {}
        self._bounded = frozenset[str]()
        self._watched = Watched(source, "limits of callers and workspaces", self._take)

    def look(self) -> None:
        """Take the limits as they are now, if they have changed."""
        self._watched.look()

    def of_caller(self, name: str) -> ShareLimits:
        """Return what one caller may use. name: as for shares."""
        return self._callers.get(name, self._limits)

    def of_workspace(self, name: str) -> WorkspaceQuotas:
        """Return what one workspace may keep."""
        return self._workspaces.get(name, self._quotas)

    def is_bounded(self, field: str) -> bool:
        """Return whether any caller has a limit of this kind. field: of ShareLimits."""
        return field in self._bounded

    def _take(self, overrides: Overrides) -> None:
        limits = self._limits
        callers = {name: apply(values, limits) for name, values in overrides.callers.items()}
        workspaces = {name: apply(values, limits) for name, values in overrides.workspaces.items()}
        self._callers = callers
        self._workspaces = {name: WorkspaceQuotas.of(found) for name, found in workspaces.items()}
        self._bounded = frozenset(
            field
            for field in limit_names(Scope.CALLER).values()
            if any(getattr(found, field) is not None for found in (limits, *callers.values()))
        )
