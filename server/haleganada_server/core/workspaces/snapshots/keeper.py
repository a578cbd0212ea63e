"""Deletes snapshots: when somebody asks, and by the rules of retention."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from haleganada_server.core.baton import locked
from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, InvalidInput, NotFound, Precondition
from haleganada_server.core.labels import workspace_name

from ..ports import WorkspaceDirectory
from ..types import Pruned, SnapshotInfo, SnapshotKind
from .retention import Retention, Rule, is_last_way_back, select_expired, select_for_room

_log = logging.getLogger(__name__)
_BY_ITSELF = (SnapshotKind.AUTOMATIC, SnapshotKind.BEFORE_IMPORT, SnapshotKind.TRASH)


class SnapshotKeeper:
    """Deletes snapshots of any workspace, also of a deleted one. Safe from any thread."""

    def __init__(
        self, directory: WorkspaceDirectory, retention: Retention | None = None, clock: Callable[[], int] = now_us
    ) -> None:
        """clock: returns microseconds since 1970 UTC."""
        self._directory, self._retention, self._clock = directory, retention or Retention(), clock
        self._lock = threading.Lock()  # two deletions must not each take the other's snapshot for the way back

    def snapshots(self, name: str) -> list[SnapshotInfo]:
        """Return a workspace's snapshots, newest first."""
        return self._directory.snapshots(name)

    def names(self) -> list[str]:
        """Return the names of the workspaces that have snapshots or trash, deleted ones included."""
        return self._directory.names_with_snapshots()

    def delete(self, name: str, snapshot_id: str, confirm: str) -> Pruned:
        """Delete one snapshot. Raises NotFound, and Precondition if it is the last sound one and confirm is not the
        workspace's name.
        """
        name = workspace_name(name)
        with locked(self._lock):
            snapshots = self._directory.snapshots(name)
            info = next((info for info in snapshots if info.snapshot_id == snapshot_id), None)
            if info is None:
                raise NotFound("snapshot", snapshot_id, f"list the snapshots of “{name}”")
            if confirm != name and is_last_way_back(info, snapshots, partial(self._directory.is_sound, name)):
                raise Precondition(
                    f"this is the last sound snapshot of “{name}”: without it, nothing brings a damaged or deleted "
                    f"workspace back. To go on, repeat the workspace's name, “{name}”, in confirm",
                    Reason.CONFIRMATION_NEEDED,
                )
            return self._discard(name, [info])

    def prune(
        self,
        name: str,
        kinds: Collection[SnapshotKind] = (),
        keep: int | None = None,
        older_than_s: float | None = None,
        *,
        dry_run: bool = False,
    ) -> Pruned:
        """Delete older snapshots of some kinds; () = all but those that users saved. dry_run: only tell which.

        keep, older_than_s: those beyond the newest `keep` of their kind that are also older than that; None for both:
        those that the server deletes by itself. Raises InvalidInput if saved ones are to be pruned without a bound.
        """
        name = workspace_name(name)
        rules = self._rules(kinds or _BY_ITSELF, keep, older_than_s)
        with locked(self._lock):
            expired = self._select_expired(name, rules)
            if dry_run:
                return Pruned(tuple(expired), sum(info.bytes for info in expired))
            return self._discard(name, expired)

    def make_room(self, name: str, revision: int, needed_bytes: int) -> None:
        """Make room for a snapshot of this revision, by deleting the oldest ones that nobody saved. Raises Exhausted if
        that is not enough for the bound on a workspace's snapshots.
        """
        bound = self._retention.max_bytes
        if bound is None:
            return
        with locked(self._lock):
            snapshots = self._directory.snapshots(name)
            if any(info.revision == revision and not info.trash for info in snapshots):
                return  # they will share the file
            missing = self._directory.snapshot_bytes(name) + needed_bytes - bound
            if missing <= 0:
                return
            self._discard(name, select_for_room(snapshots, missing, partial(self._directory.is_sound, name))[::-1])
            used = self._directory.snapshot_bytes(name)
            if used + needed_bytes > bound:
                raise Exhausted(
                    f"the snapshots and the trash of “{name}” take {used / 1e6:,.1f} MB, and the new one needs "
                    f"{needed_bytes / 1e6:,.1f} MB, but this server allows {bound / 1e6:,.1f} MB; "
                    "delete some with `haleganada snapshots delete` or `haleganada snapshots prune --kind saved`, or "
                    "start the server with a larger --snapshot-quota, then repeat the call",
                    Reason.QUOTA_EXCEEDED,
                    retry_after_s=30.0,
                )

    def apply_rules(self, name: str) -> Pruned:
        """Delete what the server deletes by itself."""
        return self.prune(name)

    def _rules(
        self, kinds: Collection[SnapshotKind], keep: int | None, older_than_s: float | None
    ) -> Mapping[SnapshotKind, Rule]:
        if keep is not None or older_than_s is not None:
            return dict.fromkeys(kinds, Rule(keep, older_than_s, both=True))
        if SnapshotKind.SAVED in kinds:
            raise InvalidInput("keep", "is missing; say how many saved snapshots to keep, or how old they may be")
        return {kind: rule for kind, rule in self._retention.rules.items() if kind in kinds}

    def _select_expired(self, name: str, rules: Mapping[SnapshotKind, Rule]) -> list[SnapshotInfo]:
        snapshots = self._directory.snapshots(name)
        return select_expired(snapshots, rules, self._clock(), partial(self._directory.is_sound, name))

    def _discard(self, name: str, expired: Sequence[SnapshotInfo]) -> Pruned:
        """Delete the oldest first, so that a kill leaves the newer ones."""
        freed = 0
        for info in reversed(expired):
            freed += self._directory.discard(name, info)
            _log.info("deleted snapshot %s (%s) of workspace %r", info.snapshot_id, info.kind.value, name)
        return Pruned(tuple(expired), freed)
