"""What a workspace may keep, and what is used of a quota."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from haleganada_server.core.errors import QuotaExceeded

from .limits import ShareLimits

WORKSPACES = "workspaces"
SAMPLES, LABELS, BYTES = "workspace-samples", "workspace-labels", "workspace-bytes"


@dataclass(frozen=True, slots=True)
class Quota:
    """name: under which administrators set it. used: it may be more than the limit, if that was lowered."""

    name: str
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class WorkspaceUse:
    """What a workspace keeps. size: of its file and journal in bytes."""

    samples: int
    labels: int
    size: int


@dataclass(frozen=True, slots=True)
class WorkspaceQuotas:
    """The limits of each workspace; None = none."""

    samples: int | None = None
    labels: int | None = None
    size: int | None = None

    @classmethod
    def of(cls, limits: ShareLimits) -> WorkspaceQuotas:
        """Return those of a server."""
        return cls(limits.workspace_samples, limits.workspace_labels, limits.workspace_bytes)

    @property
    def is_unlimited(self) -> bool:
        """Whether there is no limit at all."""
        return self.samples is None and self.labels is None and self.size is None

    def require(self, used: WorkspaceUse, more: WorkspaceUse) -> None:
        """Raise QuotaExceeded if a workspace may not keep so much more than it does."""
        if self.samples is not None and more.samples and used.samples + more.samples > self.samples:
            described = f"{used.samples:,} of the {self.samples:,} samples"
            raise _refuse(described, more.samples, "forget some that nobody needs", SAMPLES)
        if self.labels is not None and more.labels and used.labels + more.labels > self.labels:
            described = f"{used.labels:,} of the {self.labels:,} labels"
            raise _refuse(described, more.labels, "use one of these, or forget all samples of one", LABELS)
        if self.size is not None and more.size and used.size + more.size > self.size:
            described = f"{used.size / 1e6:,.1f} of the {self.size / 1e6:,.1f} MB on disk"
            raise _refuse(described, more.samples, "export it, reset it and import it, which drops its history", BYTES)

    def describe(self, used: WorkspaceUse) -> tuple[Quota, ...]:
        """Return the limits that there are, and what a workspace uses of them."""
        found = (
            (SAMPLES, used.samples, self.samples),
            (LABELS, used.labels, self.labels),
            (BYTES, used.size, self.size),
        )
        return only_limited(found)


UNLIMITED = WorkspaceQuotas()


def only_limited(found: Iterable[tuple[str, int, int | None]]) -> tuple[Quota, ...]:
    """Return the quotas that have a limit. found: name, what is used, limit or None."""
    return tuple(Quota(name, used, limit) for name, used, limit in found if limit is not None)


def require_workspaces(count: int, limit: int | None) -> None:
    """Raise QuotaExceeded if so many workspaces are more than the server may have."""
    if limit is not None and count > limit:
        raise QuotaExceeded(
            f"the server has as many workspaces as it may, {limit:,}; use one of them, delete one, or ask the server's "
            f"administrator for more (serve --limit {WORKSPACES}=N)"
        )


def _refuse(used: str, more: int, advice: str, name: str) -> QuotaExceeded:
    return QuotaExceeded(
        f"the workspace has {used} that it may have, so there is no room for {more:,} more; {advice}, or ask the "
        f"server's administrator for more (haleganada limits set --workspace NAME {name}=N)"
    )
