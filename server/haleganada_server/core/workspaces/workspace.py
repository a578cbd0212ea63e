"""One workspace: an isolated vocabulary whose knowledge is a function of its log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from haleganada_server.core.access.identity import LOCAL_CALLER, Caller
from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.errors import NotFound, QuotaExceeded
from haleganada_server.core.fewshot.adaptation import Floats
from haleganada_server.core.folder_names import FolderNames
from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.glyphs.ports import Raster
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.prediction import Prediction
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.outcomes import Outcome, map_ok, map_ok_batch, ok_values, raise_if_error, zip_ok
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.shares.quotas import Quota

from .background_adaptation import BackgroundAdaptation
from .changes import editing, exchanging, teaching, undoing
from .changes.commit_queue import PendingChange
from .changes.draft import Draft
from .changes.exchanging import OwnSample
from .changes.requests import Request, find_any_request
from .changes.teaching import NewSample
from .dependencies import WorkspaceDependencies
from .imports.importing import Importer
from .imports.teaching import ImportTerms
from .listing import find_sample, list_samples
from .loading import KnowledgeLoader
from .ports import ExportFile, ImportItem
from .question import ModelChoice, Question
from .recognition import Recognition
from .reembedding import Reembedder
from .snapshots.automatic import AutomaticSnapshots
from .state import WorkspaceState
from .statistics.label_audit import LabelAudit, audit_labels
from .statistics.stats import Stats, compute_stats
from .types import (
    Corrected,
    Imported,
    KnownDrawings,
    Lesson,
    Linked,
    Sample,
    SampleChange,
    SamplePage,
    SnapshotInfo,
    SnapshotKind,
    Taught,
    TransferFormat,
    Undone,
    Unlinked,
)

_FIXED_BYTES = 40_000
_BYTES_OF_A_LABEL = 500  # without its numbers in the head


class Workspace:
    """Teaches and recognizes in one workspace, and manages it. Safe from any thread."""

    def __init__(
        self,
        log: WorkspaceLog,
        dependencies: WorkspaceDependencies,
        reembedder: Reembedder,
        background_adaptation: BackgroundAdaptation,
        automatic_snapshots: AutomaticSnapshots,
        loader: KnowledgeLoader,
    ) -> None:
        """Raises DataLoss if the log is corrupt. reembedder: gets the stale samples. background_adaptation,
        automatic_snapshots: hear of each change. loader: visited the log when it was opened.
        """
        self._dependencies, self._automatic_snapshots = dependencies, automatic_snapshots
        self.state = WorkspaceState(log, dependencies, reembedder, background_adaptation, automatic_snapshots, loader)
        self._recognition = Recognition(
            dependencies,
            log.name,
            published=lambda: self.state.knowledge,
            adapt=self.adapt,
            adapt_later=self.state.adapt_later,
            reach=self.state.reach,
        )
        self._importer = Importer(
            self.state,
            dependencies,
            automatic_snapshots,
            save_before=lambda: self.save("before an import", SnapshotKind.BEFORE_IMPORT),
        )

    @property
    def knowledge(self) -> Knowledge:
        """The published state."""
        return self.state.knowledge

    @property
    def log(self) -> WorkspaceLog:
        return self.state.log

    @property
    def memory_bytes(self) -> int:
        """About how many bytes of memory the workspace takes."""
        knowledge = self.knowledge
        labels = _BYTES_OF_A_LABEL * len(knowledge.class_ids)
        return _FIXED_BYTES + knowledge.head.nbytes + labels + self.log.memory_bytes

    # Teaching

    def train(self, lesson: Lesson, client: Caller = LOCAL_CALLER, cancellation: Cancellation = NEVER) -> Taught:
        """Learn one drawing, and return when it is on disk. Raises InvalidInput, AlreadyExists, RevisionMismatch,
        Precondition; Cancelled or DeadlineExceeded, if the caller gives up before the commit.
        """
        return raise_if_error(self.train_batch([lesson], client, cancellation)[0])

    def wait_until_learned(self, revision: int, timeout_s: float) -> bool:
        """Wait until the workspace's online network has learned a revision, and return whether it has; False without
        one.
        """
        return self._dependencies.learners.wait_until_learned(self.log.name, revision, timeout_s)

    def train_batch(
        self, lessons: Sequence[Outcome[Lesson]], client: Caller = LOCAL_CALLER, cancellation: Cancellation = NEVER
    ) -> list[Outcome[Taught]]:
        """Learn several drawings in one commit. One that cannot be learned becomes its error; errors are passed
        through. Raises Cancelled or DeadlineExceeded, having learned nothing, if the caller gives up before the commit.
        """
        self._require_room(ok_values(lessons))
        normalized = map_ok(_normalize_lesson, lessons)
        glyphs = map_ok(lambda lesson: lesson.glyph, normalized)
        drawings = self._dependencies.encoder.encode_many(glyphs, cancellation, to_store=True)
        cancellation.check()

        def commit(prepared: list[tuple[Lesson, Drawing]]) -> list[Outcome[Taught]]:
            projection = self._dependencies.head_parameters.projection
            vectors = projection.project_all([drawing.embedding for _, drawing in prepared])
            pending = [
                PendingChange(self._teach(lesson, drawing, vector, client))
                for (lesson, drawing), vector in zip(prepared, vectors, strict=True)
            ]
            self.state.run_all(pending)
            return [change.outcome() for change in pending]

        return map_ok_batch(commit, zip_ok(normalized, drawings))

    def _require_room(self, lessons: Sequence[Lesson]) -> None:
        """Raise Exhausted, before anything is encoded, if nothing more can be taught. Lessons that are known already,
        or may be, need no room.
        """
        self._dependencies.directory.require_room()
        try:
            self.state.require_room(1)
        except QuotaExceeded:
            request_ids = [lesson.request_id for lesson in lessons if lesson.request_id]
            may_be_known = any(lesson.known is KnownDrawings.SKIP for lesson in lessons)
            if not (may_be_known or (request_ids and self.state.run(find_any_request(request_ids)))):
                raise

    def _teach(self, lesson: Lesson, drawing: Drawing, vector: Floats, client: Caller) -> Callable[[Draft], Taught]:
        new = self._new_sample(lesson.label, lesson.variant_of, drawing, known=lesson.known, vector=vector)
        picture = lesson.glyph.image if lesson.glyph.image is not None else new.stored[1]
        payload = ("train", lesson.label, lesson.variant_of, picture)
        return teaching.teach(
            new, Request(lesson.request_id, lesson.expected_revision, client, payload, lesson.batch_id)
        )

    def correct(
        self,
        prediction_id: str,
        label: str,
        variant_of: str = "",
        request_id: str = "",
        expected_revision: int | None = None,
        client: Caller = LOCAL_CALLER,
    ) -> Corrected:
        """Learn the drawing of an earlier prediction. Raises what train raises, and NotFound if the prediction is no
        longer remembered.
        """
        label, variant_of = _normalize_labels(label, variant_of)
        remembered = self._recognition.find_prediction(prediction_id)  # before the turn: others may have to be asked

        def find() -> NewSample:
            if remembered is None:
                raise NotFound(
                    "prediction",
                    prediction_id,
                    "it is too old, from another workspace, or of a server that is gone; teach the drawing instead",
                )
            corrects = remembered.predicted, remembered.revision
            return self._new_sample(label, variant_of, remembered.drawing, corrects=corrects)

        request = Request(request_id, expected_revision, client, ("correct", prediction_id, label, variant_of))
        return self.state.run(teaching.correct(find, request))

    # Recognizing

    def predict(
        self,
        glyph: Glyph,
        top_k: int = 5,
        min_revision: int | None = None,
        model: ModelChoice = "",
        cancellation: Cancellation = NEVER,
        script_labels: int = 0,
    ) -> Prediction:
        """Recognize a drawing. Raises what predict_batch raises, and InvalidInput."""
        return raise_if_error(self.predict_batch([glyph], top_k, min_revision, model, cancellation, script_labels)[0])

    def predict_batch(
        self,
        glyphs: Sequence[Outcome[Glyph]],
        top_k: int = 5,
        min_revision: int | None = None,
        model: ModelChoice = "",
        cancellation: Cancellation = NEVER,
        script_labels: int = 0,
    ) -> list[Outcome[Prediction]]:
        """Recognize several drawings, all at one revision; one that cannot be used becomes its error.

        model: "" = the workspace's active model, else a name of model_names, or a model's id or unique name; several
        answer together. script_labels: how many letters the script has, taught or not, 0 if that is not known; the odds
        of “unknown” follow from it. Raises Precondition if min_revision is not reached, there is no online network, or
        several models have no label in common; what Models.predictor_for raises; and Cancelled or DeadlineExceeded if
        the caller gives up meanwhile.
        """
        question = Question(top_k=top_k, min_revision=min_revision, model=model, script_labels=script_labels)
        return self._recognition.predict_batch(glyphs, question, cancellation)

    # Changing what was taught

    def link(
        self,
        form: str,
        canonical: str,
        request_id: str = "",
        expected_revision: int | None = None,
        client: Caller = LOCAL_CALLER,
        join_groups: bool = False,
    ) -> Linked:
        """Let a form stand for a canonical label, with join_groups all of its group. Raises InvalidInput, Precondition
        for a cycle.
        """
        form, canonical = normalize_label(form, "form"), normalize_label(canonical, "canonical")
        payload = ("join" if join_groups else "link", form, canonical)
        change = editing.join_groups if join_groups else editing.link
        return self.state.run(change(form, canonical, Request(request_id, expected_revision, client, payload)))

    def unlink(
        self, form: str, request_id: str = "", expected_revision: int | None = None, client: Caller = LOCAL_CALLER
    ) -> Unlinked:
        """Let a form stand for itself again. Raises Precondition if it is not linked."""
        form = normalize_label(form, "form")
        return self.state.run(editing.unlink(form, Request(request_id, expected_revision, client, ("unlink", form))))

    def relabel(
        self,
        sample_id: int,
        label: str,
        request_id: str = "",
        expected_revision: int | None = None,
        client: Caller = LOCAL_CALLER,
        batch_id: str = "",
    ) -> SampleChange:
        """Give a sample another label. Raises NotFound, InvalidInput."""
        label = normalize_label(label)
        request = Request(request_id, expected_revision, client, ("relabel", str(sample_id), label), batch_id)
        return self.state.run(editing.relabel(sample_id, label, request))

    def forget(
        self,
        sample_id: int,
        request_id: str = "",
        expected_revision: int | None = None,
        client: Caller = LOCAL_CALLER,
        batch_id: str = "",
    ) -> SampleChange:
        """Forget a sample. Raises NotFound."""
        request = Request(request_id, expected_revision, client, ("forget", str(sample_id)), batch_id)
        return self.state.run(editing.forget(sample_id, request))

    def undo(self, request_id: str = "", expected_revision: int | None = None, client: Caller = LOCAL_CALLER) -> Undone:
        """Undo the last change. Raises Precondition if there is none."""
        return self.state.run(undoing.undo(Request(request_id, expected_revision, client, ("undo",))))

    def undo_batch(
        self, request_id: str = "", expected_revision: int | None = None, client: Caller = LOCAL_CALLER
    ) -> Undone:
        """Undo the batch that the last change belongs to. Raises Precondition if it belongs to none."""
        request = Request(request_id, expected_revision, client, ("undo batch",))
        change = PendingChange(undoing.undo_batch(request))
        self.state.run_alone(change)
        undone: Undone = change.result()
        return undone

    def exchange(
        self,
        taught: Sequence[tuple[str, Drawing]],
        forgotten: Sequence[tuple[int, Raster]],
        client: Caller = LOCAL_CALLER,
    ) -> tuple[int, ...]:
        """Learn encoded drawings, each with its normalized label, and forget samples, in one commit. Return the numbers
        of the new samples. forgotten: numbers and what was taught under them; samples that are gone, or others by now,
        are left alone. Raises Exhausted.
        """
        self._dependencies.directory.require_room()
        encoder = self._dependencies.encoder
        new = [self._new_sample(label, "", drawing) for label, drawing in taught]
        own = [OwnSample(sample_id, partial(encoder.is_drawing_of, raster)) for sample_id, raster in forgotten]
        return self.state.run(exchanging.exchange(new, own, client))

    # Listing samples and statistics

    def samples(self, label: str = "", before: int = 0, limit: int = 50, with_pictures: bool = False) -> SamplePage:
        """Return a page of live samples, newest first. label "" = all; before 0 = from the newest. A damaged drawing
        has no picture.
        """
        encoder = self._dependencies.encoder if with_pictures else None
        return list_samples(self.log, self.knowledge, label, before, limit, encoder)

    def sample(self, sample_id: int) -> Sample:
        """Return a live sample with its picture. Raises NotFound, and DataLoss if the drawing is damaged."""
        return find_sample(self.log, self.knowledge, sample_id, self._dependencies.encoder)

    def stats(self, history_points: int = 500, find_suspects: bool = False) -> Stats:
        """Return the statistics of the current state. find_suspects: also audit the labels, which takes longer."""
        knowledge, dependencies = self.knowledge, self._dependencies
        audit = LabelAudit()
        if find_suspects:
            embedder_hash = dependencies.encoder.embedder_hash
            audit = audit_labels(self.log, self.adapt(), dependencies.head_parameters, embedder_hash)
        return compute_stats(self.log, knowledge, history_points, audit)

    def list_quotas(self) -> tuple[Quota, ...]:
        """Return the quotas of the workspace, and what is used of them."""
        return self.state.quotas.describe(self.state.measure_use())

    # Snapshots, exports, imports

    def save(self, name: str = "", kind: SnapshotKind = SnapshotKind.SAVED) -> SnapshotInfo:
        """Write a snapshot of the current state. Raises InvalidInput, Exhausted."""
        name = normalize_label(name, "name") if name else ""
        keeper, log = self._automatic_snapshots.keeper, self.log
        keeper.make_room(log.name, self.knowledge.revision, log.bytes_on_disk())
        return self._dependencies.directory.save(self.log, name, kind)

    def export(self, form: TransferFormat) -> ExportFile:
        """Write everything to a file, which the caller closes."""
        return self._dependencies.directory.export(self.log, form)

    def require_importable(self, expected_revision: int | None) -> None:
        """Raise RevisionMismatch or Exhausted if an import would end so in any case."""
        self._importer.require_importable(expected_revision)

    def import_file(
        self,
        path: Path,
        form: TransferFormat | None = None,
        expected_revision: int | None = None,
        client: Caller = LOCAL_CALLER,
        cancellation: Cancellation = NEVER,
        folder_names: FolderNames = FolderNames.AUTO,
    ) -> Imported:
        """Teach everything in a file, or nothing if this raises; if that changes the workspace, keep a snapshot of the
        state before it. folder_names: how to read folders that are named by numbers.

        Raises InvalidInput, RevisionMismatch, and Cancelled or DeadlineExceeded if the caller gives up before all is
        ready.
        """
        terms = ImportTerms(
            client=client,
            expected_revision=expected_revision,
            cancellation=cancellation,
            folder_names=folder_names,
        )
        return self._importer.import_file(path, form, terms)

    def import_items(self, items: Iterator[ImportItem], client: Caller = LOCAL_CALLER) -> Imported:
        """Teach items that were read and encoded elsewhere, as import_file does. Raises what it raises."""
        return self._importer.import_items(items, ImportTerms(client=client))

    def adapt(self) -> Knowledge:
        """Return the published state with a head that has adapted to all of it; see WorkspaceState.adapt."""
        return self.state.adapt()

    def close(self) -> None:
        """Finish the change in progress and close the log."""
        self.state.close()

    def _new_sample(self, label: str, variant_of: str, drawing: Drawing, **more: Any) -> NewSample:
        """Return a sample to learn. more: further fields of NewSample."""
        encoder = self._dependencies.encoder
        return NewSample(
            label=label,
            variant_of=variant_of,
            stored=encoder.to_stored(drawing),
            embedding=drawing.embedding,
            embedder_hash=encoder.embedder_hash,
            **more,
        )


def _normalize_labels(label: str, variant_of: str) -> tuple[str, str]:
    return normalize_label(label), normalize_label(variant_of, "variant_of") if variant_of else ""


def _normalize_lesson(lesson: Lesson) -> Lesson:
    """Return the lesson with normalized labels. Raises InvalidInput."""
    label, variant_of = _normalize_labels(lesson.label, lesson.variant_of)
    if (label, variant_of) == (lesson.label, lesson.variant_of):
        return lesson
    return replace(lesson, label=label, variant_of=variant_of)
