"""A workspace's log and the knowledge that is published from it: the one place that commits changes.

Changes queue; one group at a time is applied to a draft, committed to disk, and only then published as a new immutable
Knowledge and acknowledged. Who reads takes a reference to the published Knowledge and never locks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from haleganada_server.core.access.identity import LOCAL_CALLER, Caller
from haleganada_server.core.baton import locked, without_baton
from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import ITEM_ERRORS, RevisionMismatch, Unavailable
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.outcomes import strip_traceback
from haleganada_server.core.sample_log.ports import LogReplaced, WorkspaceLog
from haleganada_server.core.sample_log.rows import ChangeKind, Event, FollowedEvent
from haleganada_server.core.shares.quotas import WorkspaceQuotas, WorkspaceUse

from .background_adaptation import BackgroundAdaptation
from .changes.commit_queue import CommitQueue, PendingChange
from .changes.draft import Draft
from .changes.following import follow
from .changes.knowledge_draft import KnowledgeDraft
from .dependencies import WorkspaceDependencies
from .loading import KnowledgeLoader
from .reembedding import Reembedder
from .snapshots.automatic import AutomaticSnapshots
from .types import SnapshotInfo

Answer = TypeVar("Answer")
REACH_S = 1.0
"""Seconds for which a call waits for a revision that another server may be about to commit."""
_REACH_PAUSE_S = 0.02
_MOST_REPLACED = 5  # times in a row, while one change is made


class WorkspaceState:
    """Owns the log. Safe from any thread."""

    def __init__(
        self,
        log: WorkspaceLog,
        dependencies: WorkspaceDependencies,
        reembedder: Reembedder,
        background_adaptation: BackgroundAdaptation,
        automatic_snapshots: AutomaticSnapshots,
        loader: KnowledgeLoader,
    ) -> None:
        """See Workspace."""
        self._dependencies = dependencies
        self._reembedder = reembedder
        self._background_adaptation = background_adaptation
        self._automatic_snapshots = automatic_snapshots
        self._queue = CommitQueue(self._commit)
        self._adapting = threading.Lock()  # acquired before the queue's lock, never while holding it
        self._knowledge: Knowledge
        self._adopt(log, loader)

    @property
    def knowledge(self) -> Knowledge:
        """The published state."""
        return self._knowledge

    @property
    def log(self) -> WorkspaceLog:
        return self._log

    @property
    def quotas(self) -> WorkspaceQuotas:
        """What the workspace may keep now."""
        return self._dependencies.find_quotas(self._log.name)

    def require_revision(self, expected: int | None) -> None:
        """Raise RevisionMismatch unless the workspace is at the expected revision; None = any."""
        if expected is not None and expected != self._knowledge.revision:
            raise RevisionMismatch(expected, self._knowledge.revision)

    def measure_use(self) -> WorkspaceUse:
        """Return what counts for the quotas."""
        knowledge = self._knowledge
        size = self._log.bytes_on_disk() if self.quotas.size is not None else 0
        return WorkspaceUse(knowledge.samples_total, knowledge.labels_known, size)

    def require_room(self, samples: int) -> None:
        """Raise QuotaExceeded unless so many more samples would fit now; what is certain is found in the commit."""
        quotas = self.quotas
        if not quotas.is_unlimited:
            quotas.require(self.measure_use(), WorkspaceUse(samples, 0, samples))

    # Changes

    def run(self, change: Callable[[Draft], Answer]) -> Answer:
        """Carry out a change, and return when it is on disk. Raises the change's error."""
        pending = PendingChange(change)
        self._queue.run([pending])
        answer: Answer = pending.result()
        return answer

    def run_all(self, changes: Sequence[PendingChange]) -> None:
        """Carry out changes, and return when all are done, successfully or not."""
        self._queue.run(changes)

    def run_alone(self, change: PendingChange) -> None:
        """Return when a change is done that must not share its commit, because it is large."""
        self._queue.run_alone(change)

    def _commit(self, group: list[PendingChange]) -> None:
        """Apply a group of changes, make them durable, and publish. Raises only errors of the whole group."""
        self._on_present_log(lambda: self._commit_to_log(group))

    def _commit_to_log(self, group: list[PendingChange]) -> None:
        """Raises LogReplaced before anything is applied, too."""
        dependencies = self._dependencies
        with self._log.transaction() as transaction:
            draft = Draft(
                self._follow(transaction.news(self._knowledge.revision)),
                transaction,
                dependencies.head_parameters,
                dependencies.encoder.embedder_hash,
                self.quotas,
                self._log.bytes_on_disk,
            )
            for change in group:
                try:
                    change.answer = change.apply(draft)
                except ITEM_ERRORS as error:
                    change.error = strip_traceback(error)
        if draft.revision != self._knowledge.revision or draft.stale is not self._knowledge.stale:
            self._publish(draft.to_knowledge())

    def _publish(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._background_adaptation.schedule(self)
        self._automatic_snapshots.note_change(self._log.name, knowledge.revision, knowledge.samples_total)
        self._dependencies.learners.notify_change(self._log.name)

    # Following other servers, where several use one database

    def catch_up(self) -> None:
        """Learn what other servers have committed. Raises Unavailable, and NotFound if the workspace was deleted."""
        with locked(self._queue.lock):
            if self._in_use:
                self._on_present_log(self._read_news)

    def reach(self, revision: int, cancellation: Cancellation) -> None:
        """Learn what other servers have committed up to a revision, and wait a little if it is not there yet. The
        published state shows whether it was reached. Raises NotFound if the workspace was deleted, Cancelled.
        """
        if not self._dependencies.directory.is_shared:
            return
        end_s = time.monotonic() + REACH_S
        while self._knowledge.revision < revision and time.monotonic() < end_s:
            with suppress(Unavailable):
                self.catch_up()
                if self._knowledge.revision >= revision:
                    return
            cancellation.check()
            with without_baton():
                time.sleep(_REACH_PAUSE_S)

    def _read_news(self) -> None:
        knowledge = self._follow(self._log.news(self._knowledge.revision))
        if knowledge is not self._knowledge:
            self._knowledge = knowledge
            self._background_adaptation.schedule(self)

    def _follow(self, news: Sequence[FollowedEvent]) -> Knowledge:
        """Return what is known after the news, too."""
        if not news:
            return self._knowledge
        dependencies = self._dependencies
        draft = KnowledgeDraft(self._knowledge, dependencies.head_parameters, dependencies.encoder.embedder_hash)
        follow(draft, news)
        return draft.to_knowledge()

    def _on_present_log(self, work: Callable[[], Answer]) -> Answer:
        """Do something with the log, opened again if another server has replaced it. The queue's lock is held."""
        for _ in range(_MOST_REPLACED):
            try:
                return work()
            except LogReplaced:
                self._open_again()
        raise Unavailable(
            f"other servers keep replacing the workspace “{self._log.name}”; repeat the call", Reason.WORKSPACE_BUSY
        )

    def _open_again(self) -> None:
        loader, old = self._dependencies.make_loader(), self._log
        self._adopt(self._dependencies.directory.open(old.name, loader), loader)
        old.close()
        self._background_adaptation.schedule(self)

    # Adapting: also for the BackgroundAdaptation

    def adapt(self) -> Knowledge:
        """Adapt the head to all samples of the published state, and return that state with it. From now on, newer
        states use its basis too. Other callers wait meanwhile; changes and predictions go on.
        """
        with locked(self._adapting):
            knowledge = self._knowledge
            if not knowledge.head.is_adapted:
                knowledge = replace(knowledge, head=knowledge.head.adapt())
                with locked(self._queue.lock):
                    self._knowledge = replace(self._knowledge, head=self._knowledge.head.adopt(knowledge.head))
            return knowledge

    def adapt_later(self) -> None:
        """Let the background adapt the head."""
        self._background_adaptation.ensure(self)

    # The log as a whole

    def replace_log(
        self,
        kind: ChangeKind,
        expected_revision: int | None = None,
        snapshot_id: str = "",
        client: Caller = LOCAL_CALLER,
    ) -> SnapshotInfo | None:
        """Move the log to the trash and go on with an empty one, or with a copy of a snapshot. Raises RevisionMismatch,
        and what WorkspaceDirectory.replace raises; the log is closed if the workspace has to be opened again then.
        """

        def replace_present() -> SnapshotInfo | None:
            self._read_news()
            self.require_revision(expected_revision)
            event = Event(kind, now_us(), client=str(client), revision=self._knowledge.revision + 1)
            loader = self._dependencies.make_loader()
            log, retired = self._dependencies.directory.replace(self._log.name, self._log, event, snapshot_id, loader)
            try:
                self._adopt(log, loader)
            except BaseException:
                log.close()
                raise
            self._automatic_snapshots.note_kept(self._log.name)
            return retired

        with self._queue.lock:
            return self._on_present_log(replace_present)

    def delete_log(self) -> SnapshotInfo | None:
        """Move the log to the trash. Raises what WorkspaceDirectory.delete raises."""
        with self._queue.lock:
            deleted = self._dependencies.directory.delete(self._log.name, self._log)
            self._in_use = False
            self._automatic_snapshots.note_kept(self._log.name)
            return deleted

    def close(self) -> None:
        """Finish the change in progress and close the log."""
        self._background_adaptation.discard(self)
        with self._queue.lock:
            self._in_use = False
            self._log.close()

    def _adopt(self, log: WorkspaceLog, loader: KnowledgeLoader) -> None:
        """Go on with this log: publish its state. loader: visited it."""
        self._log, self._in_use = log, True
        self._knowledge = loader.finish()
        if loader.stale:
            self._reembedder.add(self, log, loader.stale)
        self._dependencies.learners.notify_change(log.name)

    # For the Reembedder

    def owns(self, log: WorkspaceLog) -> bool:
        """Return whether the workspace still uses this log. Waits for the change in progress."""
        with self._queue.lock:
            return self._in_use and self._log is log

    def has_samples_to_embed(self) -> bool:
        """Return whether stale samples are still to be embedded, those that are left alone not included."""
        return self._reembedder.has_tasks(self)
