"""One workspace: an isolated vocabulary whose knowledge is a function of its log.

Writing: changes queue; one group at a time is applied to a draft, committed to disk, and only then published as a new
immutable Knowledge and acknowledged. Reading: Predict takes a reference to the published Knowledge and never locks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from haleganada_server.core.clock import now_us
from haleganada_server.core.errors import ITEM_ERRORS, DataLoss, NotFound, RevisionMismatch
from haleganada_server.core.fewshot.head import Head
from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.prediction import Prediction
from haleganada_server.core.knowledge.stale_samples import StaleSamples
from haleganada_server.core.knowledge.variants import Variants
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.outcomes import Outcome, map_ok, map_ok_batch, raise_if_error, zip_ok
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import ChangeKind, Event, SampleRow

from . import changes
from .background_adaptation import BackgroundAdaptation
from .changes import NewSample
from .commit_queue import CommitQueue, PendingChange
from .dependencies import WorkspaceDependencies
from .draft import Draft
from .imports import import_items
from .label_audit import LabelAudit, audit_labels
from .ports import ExportFile
from .recognition import Recognition
from .reembedding import Reembedder
from .requests import Request
from .statistics import Stats, compute_stats
from .types import (
    Corrected,
    Imported,
    Lesson,
    Linked,
    Sample,
    SampleChange,
    SamplePage,
    SnapshotInfo,
    Taught,
    TransferFormat,
    Undone,
    Unlinked,
)

Answer = TypeVar("Answer")


class Workspace:
    """Teaches and recognizes in one workspace, and manages it. Safe from any thread."""

    def __init__(
        self,
        log: WorkspaceLog,
        dependencies: WorkspaceDependencies,
        reembedder: Reembedder,
        background_adaptation: BackgroundAdaptation,
    ) -> None:
        """Load the whole log. Raises DataLoss if it is corrupt. reembedder: gets the stale samples.
        background_adaptation: gets each published head.
        """
        self._dependencies = dependencies
        self._reembedder = reembedder
        self._background_adaptation = background_adaptation
        self._queue = CommitQueue(self._commit)
        self._recognition = Recognition(dependencies, log.name, lambda: self._knowledge)
        self._adopt(log)

    @property
    def knowledge(self) -> Knowledge:
        """The published state."""
        return self._knowledge

    @property
    def log(self) -> WorkspaceLog:
        return self._log

    # Teaching

    def train(self, lesson: Lesson, client: str = "") -> Taught:
        """Learn one drawing, and return when it is on disk. Raises InvalidInput, AlreadyExists, RevisionMismatch,
        Precondition.
        """
        return raise_if_error(self.train_batch([lesson], client)[0])

    def wait_until_learned(self, revision: int, timeout_s: float) -> bool:
        """Wait until the workspace's online network has learned a revision, and return whether it has; False without
        one.
        """
        return self._dependencies.learners.wait_until_learned(self._log.name, revision, timeout_s)

    def train_batch(self, lessons: Sequence[Outcome[Lesson]], client: str = "") -> list[Outcome[Taught]]:
        """Learn several drawings in one commit. One that cannot be learned becomes its error; errors are passed
        through.
        """
        normalized = map_ok(_normalize_lesson, lessons)
        drawings = self._dependencies.encoder.encode_many(map_ok(lambda lesson: lesson.glyph, normalized))

        def commit(prepared: list[tuple[Lesson, Drawing]]) -> list[Outcome[Taught]]:
            pending = [PendingChange(self._teach(lesson, drawing, client)) for lesson, drawing in prepared]
            self._queue.run(pending)
            return [change.outcome() for change in pending]

        return map_ok_batch(commit, zip_ok(normalized, drawings))

    def _teach(self, lesson: Lesson, drawing: Drawing, client: str) -> Callable[[Draft], Taught]:
        new = self._new_sample(lesson.label, lesson.variant_of, drawing)
        picture = lesson.glyph.image if lesson.glyph.image is not None else new.stored[1]
        payload = ("train", lesson.label, lesson.variant_of, picture)
        return changes.teach(new, Request(lesson.request_id, lesson.expected_revision, client, payload))

    def correct(
        self,
        prediction_id: str,
        label: str,
        variant_of: str = "",
        request_id: str = "",
        expected_revision: int | None = None,
        client: str = "",
    ) -> Corrected:
        """Learn the drawing of an earlier prediction. Raises what train raises, and NotFound if the prediction is no
        longer remembered.
        """
        label, variant_of = _normalize_labels(label, variant_of)

        def find() -> NewSample:
            remembered = self._recognition.find_prediction(prediction_id)
            if remembered is None:
                raise NotFound(
                    "prediction", prediction_id, "it is too old, or from another workspace; teach the drawing instead"
                )
            new = self._new_sample(label, variant_of, remembered.drawing)
            return replace(new, corrects=(remembered.predicted, remembered.revision))

        request = Request(request_id, expected_revision, client, ("correct", prediction_id, label, variant_of))
        return self.run(changes.correct(find, request))

    # Recognizing

    def predict(self, glyph: Glyph, top_k: int = 5, min_revision: int | None = None, model: str = "") -> Prediction:
        """Recognize a drawing. Raises what predict_batch raises, and InvalidInput."""
        return raise_if_error(self.predict_batch([glyph], top_k, min_revision, model)[0])

    def predict_batch(
        self,
        glyphs: Sequence[Outcome[Glyph]],
        top_k: int = 5,
        min_revision: int | None = None,
        model: str = "",
    ) -> list[Outcome[Prediction]]:
        """Recognize several drawings, all at one revision; one that cannot be used becomes its error.

        model: "" = the workspace's active model, else a name of model_names, or a model's id or unique name. Raises
        Precondition if min_revision is not reached or there is no online network, and what Models.predictor_for raises.
        """
        return self._recognition.predict_batch(glyphs, top_k, min_revision, model)

    # Changing what was taught

    def link(
        self, form: str, canonical: str, request_id: str = "", expected_revision: int | None = None, client: str = ""
    ) -> Linked:
        """Let a form stand for a canonical label. Raises InvalidInput, Precondition for a cycle."""
        form, canonical = normalize_label(form, "form"), normalize_label(canonical, "canonical")
        return self.run(
            changes.link(form, canonical, Request(request_id, expected_revision, client, ("link", form, canonical)))
        )

    def unlink(
        self, form: str, request_id: str = "", expected_revision: int | None = None, client: str = ""
    ) -> Unlinked:
        """Let a form stand for itself again. Raises Precondition if it is not linked."""
        form = normalize_label(form, "form")
        return self.run(changes.unlink(form, Request(request_id, expected_revision, client, ("unlink", form))))

    def relabel(
        self, sample_id: int, label: str, request_id: str = "", expected_revision: int | None = None, client: str = ""
    ) -> SampleChange:
        """Give a sample another label. Raises NotFound, InvalidInput."""
        label = normalize_label(label)
        request = Request(request_id, expected_revision, client, ("relabel", str(sample_id), label))
        return self.run(changes.relabel(sample_id, label, request))

    def forget(
        self, sample_id: int, request_id: str = "", expected_revision: int | None = None, client: str = ""
    ) -> SampleChange:
        """Forget a sample. Raises NotFound."""
        return self.run(
            changes.forget(sample_id, Request(request_id, expected_revision, client, ("forget", str(sample_id))))
        )

    def undo(self, request_id: str = "", expected_revision: int | None = None, client: str = "") -> Undone:
        """Undo the last change. Raises Precondition if there is none."""
        return self.run(changes.undo(Request(request_id, expected_revision, client, ("undo",))))

    # Listing samples and statistics

    def samples(self, label: str = "", before: int = 0, limit: int = 50, with_pictures: bool = False) -> SamplePage:
        """Return a page of live samples, newest first. label "" = all; before 0 = from the newest. A damaged drawing
        has no picture.
        """
        label = normalize_label(label) if label else ""
        rows = self._log.samples(label, before, limit + 1)
        variants = self._knowledge.variants
        page = tuple(
            changes.to_public_sample(row, variants, self._render_picture_or_empty(row) if with_pictures else b"")
            for row in rows[:limit]
        )
        next_before = rows[limit - 1].sample_id if len(rows) > limit else 0
        return SamplePage(page, next_before, self._log.count(label), self._knowledge.revision)

    def sample(self, sample_id: int) -> Sample:
        """Return a live sample with its picture. Raises NotFound, and DataLoss if the drawing is damaged."""
        row = self._log.sample(sample_id)
        if row is None:
            raise NotFound("sample", str(sample_id), "it may have been forgotten; list the samples again")
        picture = self._dependencies.encoder.render_picture(row)
        return changes.to_public_sample(row, self._knowledge.variants, picture)

    def _render_picture_or_empty(self, row: SampleRow) -> bytes:
        try:
            return self._dependencies.encoder.render_picture(row)
        except DataLoss:
            return b""

    def stats(self, history_points: int = 500, find_suspects: bool = False) -> Stats:
        """Return the statistics of the current state. find_suspects: also audit the labels, which takes longer."""
        knowledge, dependencies = self._knowledge, self._dependencies
        audit = LabelAudit()
        if find_suspects:
            embedder_hash = dependencies.encoder.embedder_hash
            audit = audit_labels(self._log, knowledge, dependencies.head_parameters, embedder_hash)
        return compute_stats(self._log, knowledge, history_points, audit)

    # Snapshots, exports, imports

    def save(self, name: str = "", *, seed_files: bool = True) -> SnapshotInfo:
        """Write a snapshot of the current state. Raises InvalidInput, Exhausted."""
        name = normalize_label(name, "name") if name else ""
        return self._dependencies.directory.save(self._log, name, seed_files=seed_files)

    def export(self, form: TransferFormat) -> ExportFile:
        """Write everything to a file, which the caller closes."""
        return self._dependencies.directory.export(self._log, form)

    def import_file(
        self, path: Path, form: TransferFormat | None = None, expected_revision: int | None = None, client: str = ""
    ) -> Imported:
        """Teach everything in a file; if that changes the workspace, keep a snapshot of the state before it. Raises
        InvalidInput, RevisionMismatch.
        """
        self.require_revision(expected_revision)
        items = self._dependencies.directory.read_import(path, form)
        before = self.save("before an import", seed_files=False) if self._knowledge.samples_total else None
        try:
            tally = import_items(items, self._dependencies.encoder, self._queue, client)
        finally:
            if before is not None and before.revision == self._knowledge.revision:
                self._dependencies.directory.discard(self._log.name, before)
                before = None
        return Imported(
            imported=tally.taught,
            duplicates=tally.duplicates,
            refused=tuple(tally.refused),
            refused_total=tally.refused_total,
            revision=self._knowledge.revision,
            before=before,
        )

    # For Workspaces, which moves logs to the trash and back

    def require_revision(self, expected: int | None) -> None:
        """Raise RevisionMismatch unless the workspace is at the expected revision; None = any."""
        if expected is not None and expected != self._knowledge.revision:
            raise RevisionMismatch(expected, self._knowledge.revision)

    def replace_log(
        self, why: str, expected_revision: int | None, reopen: Callable[[Event], WorkspaceLog] | None
    ) -> SnapshotInfo | None:
        """Move the log to the trash and go on with the one that reopen(event) returns; None: the workspace is deleted.

        event: the first event of the new log, whose revision follows the old log's, so that revisions never go back.
        """
        with self._queue.lock:
            self.require_revision(expected_revision)
            kind = ChangeKind.RESTORE if why == "restore" else ChangeKind.RESET
            event = Event(kind, now_us(), revision=self._knowledge.revision + 1)
            retired = self._dependencies.directory.retire(self._log, self._log.name, why)
            if reopen is None:
                self._in_use = False
            else:
                self._adopt(self._open_successor(retired, event, reopen))
            return retired

    def _open_successor(
        self, retired: SnapshotInfo | None, event: Event, reopen: Callable[[Event], WorkspaceLog]
    ) -> WorkspaceLog:
        """Return the log to go on with. If that fails, the old log is back in its place when this raises."""
        try:
            return reopen(event)
        except Exception:
            if retired is not None:
                self._adopt(self._dependencies.directory.bring_back(self._log.name, retired))
            raise

    def close(self) -> None:
        """Finish the change in progress and close the log."""
        with self._queue.lock:
            self._in_use = False
            self._log.close()

    # For the Reembedder

    def owns(self, log: WorkspaceLog) -> bool:
        """Return whether the workspace still uses this log. Waits for the change in progress."""
        with self._queue.lock:
            return self._in_use and self._log is log

    def run(self, change: Callable[[Draft], Answer]) -> Answer:
        """Carry out a change, and return when it is on disk. Raises the change's error."""
        pending = PendingChange(change)
        self._queue.run([pending])
        answer: Answer = pending.result()
        return answer

    # Internal

    def _adopt(self, log: WorkspaceLog) -> None:
        """Go on with this log: publish its state."""
        self._log, self._in_use = log, True
        current, head_parameters = self._dependencies.encoder.embedder_hash, self._dependencies.head_parameters
        _ids, labels, embeddings = log.embeddings(current)
        head = Head.fit(head_parameters.projection.between, labels, head_parameters.projection.project(embeddings))
        variants = Variants()
        for form, canonical in log.links().items():
            variants = variants.with_link(form, canonical)
        stale = log.stale_samples(current)
        self._knowledge: Knowledge = Knowledge(
            revision=log.revision(),
            head=head,
            variants=variants,
            samples_total=log.count(),
            stale=StaleSamples.from_rows(stale),
            class_ids=log.class_ids(),
        )
        if stale:
            self._reembedder.add(self, log, stale)
        self._dependencies.learners.notify_change(log.name)

    def _commit(self, group: list[PendingChange]) -> None:
        """Apply a group of changes, make them durable, and publish. Raises only errors of the whole group."""
        with self._log.transaction() as transaction:
            draft = Draft(
                self._knowledge,
                transaction,
                self._dependencies.head_parameters,
                self._dependencies.encoder.embedder_hash,
            )
            for change in group:
                try:
                    change.answer = change.apply(draft)
                except ITEM_ERRORS as error:
                    change.error = error
        if draft.revision != self._knowledge.revision or draft.stale is not self._knowledge.stale:
            self._knowledge = draft.to_knowledge()
            self._background_adaptation.schedule(self._knowledge.head, lambda: self._knowledge.head)
            self._dependencies.learners.notify_change(self._log.name)

    def _new_sample(self, label: str, variant_of: str, drawing: Drawing) -> NewSample:
        encoder = self._dependencies.encoder
        return NewSample(
            label=label,
            variant_of=variant_of,
            stored=encoder.to_stored(drawing),
            embedding=drawing.embedding,
            embedder_hash=encoder.embedder_hash,
        )


def _normalize_labels(label: str, variant_of: str) -> tuple[str, str]:
    return normalize_label(label), normalize_label(variant_of, "variant_of") if variant_of else ""


def _normalize_lesson(lesson: Lesson) -> Lesson:
    """Return the lesson with normalized labels. Raises InvalidInput."""
    label, variant_of = _normalize_labels(lesson.label, lesson.variant_of)
    return replace(lesson, label=label, variant_of=variant_of)
