"""One workspace: an isolated vocabulary whose knowledge is a function of its log.

Writing: changes queue, one group at a time is applied to a draft, committed to disk, and only then published as a
new immutable Knowledge and acknowledged. Reading: Predict takes the reference to the published Knowledge and never
locks.
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

from . import changes, label_audit, statistics
from .background_adaptation import BackgroundAdaptation
from .changes import NewSample, Origin
from .commit_queue import CommitQueue, Pending
from .dependencies import WorkspaceDependencies
from .draft import Draft
from .imports import import_items
from .ports import ExportFile
from .recognition import Recognition
from .reembedding import Reembedder
from .statistics import Stats
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
    """Teaches, recognises and looks after one workspace. Safe from any thread."""

    def __init__(
        self,
        log: WorkspaceLog,
        dependencies: WorkspaceDependencies,
        reembedder: Reembedder,
        background_adaptation: BackgroundAdaptation,
    ) -> None:
        """Reads the whole log. Raises DataLoss if it is corrupt. reembedder: gets the samples that other weights
        embedded. background_adaptation: gets the heads that were changed.
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
        """Learn one drawing; returns when it is on disk. Raises InvalidInput, AlreadyExists, RevisionMismatch,
        Precondition.
        """
        return raise_if_error(self.train_batch([lesson], client)[0])

    def wait_until_learned(self, revision: int, patience_s: float) -> bool:
        """Whether the network that learns along knows a revision, or comes to in that time; False without one."""
        return self._dependencies.learners.wait_until_learned(self._log.name, revision, patience_s)

    def train_batch(self, lessons: Sequence[Outcome[Lesson]], client: str = "") -> list[Outcome[Taught]]:
        """Learn several drawings in one commit. What cannot be learned becomes its error; errors are passed through."""
        normalized = map_ok(_normalize_lesson, lessons)
        drawings = self._dependencies.encoder.encode_many(map_ok(lambda lesson: lesson.glyph, normalized))

        def commit(prepared: list[tuple[Lesson, Drawing]]) -> list[Outcome[Taught]]:
            pending = [Pending(self._teach(lesson, drawing, client)) for lesson, drawing in prepared]
            self._queue.run(pending)
            return [change.outcome() for change in pending]

        return map_ok_batch(commit, zip_ok(normalized, drawings))

    def _teach(self, lesson: Lesson, drawing: Drawing, client: str) -> Callable[[Draft], Taught]:
        new = self._new(lesson.label, lesson.variant_of, drawing)
        return changes.teach(new, _origin(lesson, new, client))

    def correct(
        self,
        prediction_id: str,
        label: str,
        variant_of: str = "",
        request_id: str = "",
        expected_revision: int | None = None,
        client: str = "",
    ) -> Corrected:
        """Learn the drawing of an earlier prediction. Raises as train does, and NotFound if it is no longer
        remembered.
        """
        label, variant_of = _labels(label, variant_of)

        def find() -> NewSample:
            remembered = self._recognition.find_prediction(prediction_id)
            if remembered is None:
                raise NotFound(
                    "prediction", prediction_id, "it is too old, or of another workspace; teach the drawing instead"
                )
            new = self._new(label, variant_of, remembered.drawing)
            return replace(new, corrects=(remembered.predicted, remembered.revision))

        origin = Origin(request_id, expected_revision, client, ("correct", prediction_id, label, variant_of))
        return self.run(changes.correct(find, origin))

    # Recognising

    def predict(self, glyph: Glyph, top_k: int = 5, min_revision: int | None = None, model: str = "") -> Prediction:
        """What a drawing is. Raises as predict_batch does, and InvalidInput."""
        return raise_if_error(self.predict_batch([glyph], top_k, min_revision, model)[0])

    def predict_batch(
        self,
        glyphs: Sequence[Outcome[Glyph]],
        top_k: int = 5,
        min_revision: int | None = None,
        model: str = "",
    ) -> list[Outcome[Prediction]]:
        """What several drawings are, all by one revision; what cannot be read becomes its error.

        model: "" = what the workspace answers with, else a name of model_names, or a model's id or unique name. Raises
        Precondition if min_revision is not reached or there is no such network, and as Models.chosen does.
        """
        return self._recognition.predict_batch(glyphs, top_k, min_revision, model)

    # Changing what was taught

    def link(
        self, form: str, canonical: str, request_id: str = "", expected_revision: int | None = None, client: str = ""
    ) -> Linked:
        """Let a form stand for a canonical label. Raises InvalidInput, Precondition for a circle."""
        form, canonical = normalize_label(form, "form"), normalize_label(canonical, "canonical")
        return self.run(
            changes.link(form, canonical, Origin(request_id, expected_revision, client, ("link", form, canonical)))
        )

    def unlink(
        self, form: str, request_id: str = "", expected_revision: int | None = None, client: str = ""
    ) -> Unlinked:
        """Let a form stand for itself again. Raises Precondition if it is not linked."""
        form = normalize_label(form, "form")
        return self.run(changes.unlink(form, Origin(request_id, expected_revision, client, ("unlink", form))))

    def relabel(
        self, sample_id: int, label: str, request_id: str = "", expected_revision: int | None = None, client: str = ""
    ) -> SampleChange:
        """Give a sample another label. Raises NotFound, InvalidInput."""
        label = normalize_label(label)
        origin = Origin(request_id, expected_revision, client, ("relabel", str(sample_id), label))
        return self.run(changes.relabel(sample_id, label, origin))

    def forget(
        self, sample_id: int, request_id: str = "", expected_revision: int | None = None, client: str = ""
    ) -> SampleChange:
        """Forget a sample. Raises NotFound."""
        return self.run(
            changes.forget(sample_id, Origin(request_id, expected_revision, client, ("forget", str(sample_id))))
        )

    def undo(self, request_id: str = "", expected_revision: int | None = None, client: str = "") -> Undone:
        """Take the last change back. Raises Precondition if there is none."""
        return self.run(changes.undo(Origin(request_id, expected_revision, client, ("undo",))))

    # Looking

    def samples(self, label: str = "", before: int = 0, limit: int = 50, with_pictures: bool = False) -> SamplePage:
        """A page of live samples, newest first; label "" = all; before 0 = from the newest. A damaged drawing has no
        picture.
        """
        label = normalize_label(label) if label else ""
        rows = self._log.samples(label, before, limit + 1)
        shown = tuple(self._shown(row, self._picture_or_none(row) if with_pictures else b"") for row in rows[:limit])
        following = rows[limit - 1].sample_id if len(rows) > limit else 0
        return SamplePage(shown, following, self._log.count(label), self._knowledge.revision)

    def sample(self, sample_id: int) -> Sample:
        """A live sample with its picture. Raises NotFound, and DataLoss if the drawing is damaged."""
        row = self._log.sample(sample_id)
        if row is None:
            raise NotFound("sample", str(sample_id), "it may have been forgotten; list the samples again")
        return self._shown(row, self._dependencies.encoder.render_picture(row))

    def _picture_or_none(self, row: SampleRow) -> bytes:
        try:
            return self._dependencies.encoder.render_picture(row)
        except DataLoss:
            return b""

    def _shown(self, row: SampleRow, picture: bytes) -> Sample:
        return changes.public_sample(row, self._knowledge.variants, picture)

    def stats(self, history_points: int = 500, find_suspects: bool = False) -> Stats:
        """Figures of the present state."""
        knowledge, dependencies = self._knowledge, self._dependencies
        searched = (self._log, knowledge, dependencies.head_parameters, dependencies.encoder.embedder_hash)
        return statistics.collect(
            self._log,
            knowledge,
            history_points,
            label_audit.audit_labels(*searched) if find_suspects else label_audit.LabelAudit(),
        )

    # Keeping, exporting, importing

    def save(self, name: str = "", *, seed_files: bool = True) -> SnapshotInfo:
        """Keep the present state. Raises InvalidInput, Exhausted."""
        name = normalize_label(name, "name") if name else ""
        return self._dependencies.directory.save(self._log, name, seed_files=seed_files)

    def export(self, form: TransferFormat) -> ExportFile:
        """Write everything to a file. The caller closes it."""
        return self._dependencies.directory.export(self._log, form)

    def import_file(
        self, path: Path, form: TransferFormat | None = None, expected_revision: int | None = None, client: str = ""
    ) -> Imported:
        """Teach everything in a file, keeping a snapshot of the state before it if that changes. Raises InvalidInput,
        RevisionMismatch.
        """
        self.require_revision(expected_revision)
        items = self._dependencies.directory.read_import(path, form)
        before = self.save("before an import", seed_files=False) if self._knowledge.samples_total else None
        try:
            count = import_items(items, self._dependencies.encoder, self._queue, client)
        finally:
            if before is not None and before.revision == self._knowledge.revision:
                self._dependencies.directory.discard(self._log.name, before)
                before = None
        refused = tuple(count.refused)
        return Imported(count.taught, count.duplicates, refused, count.refused_total, self._knowledge.revision, before)

    # For Workspaces, which moves logs to the trash and back

    def require_revision(self, expected: int | None) -> None:
        """Raises RevisionMismatch unless the workspace is at that revision; None = any will do."""
        if expected is not None and expected != self._knowledge.revision:
            raise RevisionMismatch(expected, self._knowledge.revision)

    def replace_log(
        self, why: str, expected_revision: int | None, reopen: Callable[[Event], WorkspaceLog] | None
    ) -> SnapshotInfo | None:
        """Move the log to the trash and go on with the one that reopen(event) gives; None: the workspace is deleted.

        event: the first entry of the new log, numbered on from the old one, so that revisions never go back.
        """
        with self._queue.lock:
            self.require_revision(expected_revision)
            kind = ChangeKind.RESTORE if why == "restore" else ChangeKind.RESET
            event = Event(kind, now_us(), revision=self._knowledge.revision + 1)
            retired = self._dependencies.directory.retire(self._log, self._log.name, why)
            if reopen is None:
                self._in_use = False
            else:
                self._adopt(self._successor(retired, event, reopen))
            return retired

    def _successor(
        self, retired: SnapshotInfo | None, event: Event, reopen: Callable[[Event], WorkspaceLog]
    ) -> WorkspaceLog:
        """The log to go on with. If it cannot be made, the old one is back in its place when this raises."""
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

    def holds(self, log: WorkspaceLog) -> bool:
        """Whether the workspace goes on with this log. Waits for the change in progress."""
        with self._queue.lock:
            return self._in_use and self._log is log

    def run(self, change: Callable[[Draft], Answer]) -> Answer:
        """Carry out a change; returns when it is on disk. Raises what made it fail."""
        pending = Pending(change)
        self._queue.run([pending])
        answer: Answer = pending.result()
        return answer

    # Within

    def _adopt(self, log: WorkspaceLog) -> None:
        """Go on with this log: publish what it holds."""
        self._log, self._in_use = log, True
        present, head_parameters = self._dependencies.encoder.embedder_hash, self._dependencies.head_parameters
        _ids, labels, embeddings = log.embeddings(present)
        head = Head.fit(head_parameters.projection.between, labels, head_parameters.projection.project(embeddings))
        variants = Variants()
        for form, canonical in log.links().items():
            variants = variants.with_link(form, canonical)
        stale = log.stale(present)
        self._knowledge: Knowledge = Knowledge(
            log.revision(), head, variants, log.count(), StaleSamples.of(stale), log.class_ids()
        )
        if stale:
            self._reembedder.add(self, log, stale)
        self._dependencies.learners.notify_change(log.name)

    def _commit(self, group: list[Pending]) -> None:
        """Apply a group of changes, make them durable, publish. Raises only what makes the whole group fail."""
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
            self._knowledge = draft.knowledge()
            self._background_adaptation.published(self._knowledge.head, lambda: self._knowledge.head)
            self._dependencies.learners.notify_change(self._log.name)

    def _new(self, label: str, variant_of: str, drawing: Drawing) -> NewSample:
        encoder = self._dependencies.encoder
        return NewSample(label, variant_of, encoder.to_stored(drawing), drawing.embedding, encoder.embedder_hash)


def _labels(label: str, variant_of: str) -> tuple[str, str]:
    return normalize_label(label), normalize_label(variant_of, "variant_of") if variant_of else ""


def _normalize_lesson(lesson: Lesson) -> Lesson:
    """Return the lesson with normalized labels. Raises InvalidInput."""
    label, variant_of = _labels(lesson.label, lesson.variant_of)
    return replace(lesson, label=label, variant_of=variant_of)


def _origin(lesson: Lesson, new: NewSample, client: str) -> Origin:
    picture = lesson.glyph.image if lesson.glyph.image is not None else new.stored[1]
    payload = ("train", lesson.label, lesson.variant_of, picture)
    return Origin(lesson.request_id, lesson.expected_revision, client, payload)
