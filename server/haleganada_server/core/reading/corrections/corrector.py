"""Corrects pages of taught scripts, and reads them again with what their workspace knows now.

The order of a correction is: teach the workspace, write the journal, answer. A kill in between leaves at most samples
that nobody was told of.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from haleganada_server.core.access.identity import Caller
from haleganada_server.core.clock import now_us
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import (
    DataLoss,
    HaleganadaError,
    InvalidInput,
    NotFound,
    Precondition,
    RevisionMismatch,
)
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.limits import EXCERPT_LENGTH
from haleganada_server.core.reading.page import PageReading
from haleganada_server.core.reading.ports import LabeledDrawing, PresentText, ReadingStore, TaughtWorkspaces
from haleganada_server.core.reading.reading import ReadingInfo
from haleganada_server.core.reading.taught.edits.editing import Frame
from haleganada_server.core.reading.taught.label_order import find_runs
from haleganada_server.core.reading.taught.questions import find_questions
from haleganada_server.core.reading.taught.reader import embed_page
from haleganada_server.core.reading.taught.reading import read_taught
from haleganada_server.core.reading.taught.settled import Settled

from .corrections import Correction, JournalEntry
from .evaluation import PageEvaluation, count_errors
from .history import PageHistory, PageState
from .open_pages import OpenPage, OpenPages
from .settled_texts import SettledTexts
from .step import Step


@dataclass(frozen=True, slots=True)
class CorrectedPage:
    """A page as it reads after a correction. sample_ids: what was taught. changed: the glyphs whose text is another."""

    page: PageReading
    sample_ids: tuple[int, ...]
    changed: tuple[int, ...]
    reading: ReadingInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCorrector:
    """What corrects and reads pages that a workspace has read. Safe from any thread; a page is corrected by one caller
    at a time.

    All methods raise NotFound for the reading, the page and the workspace, DataLoss, Exhausted and Unavailable, and
    Precondition if the page cannot be corrected.
    """

    store: ReadingStore
    workspaces: TaughtWorkspaces
    encoder: GlyphEncoder
    parameters: HeadParameters
    frame: Frame
    pages: OpenPages
    texts: SettledTexts

    def read(self, info: ReadingInfo, page: int) -> PageReading:
        """Read a page with what its workspace knows now."""
        with self._open(info, page) as opened:
            return self._read(info, page, opened, self.workspaces.adapt_knowledge(info.workspace))

    def correct(
        self, info: ReadingInfo, page: int, correction: Correction, expected_revision: int | None, client: Caller
    ) -> CorrectedPage:
        """Correct a page, teach its workspace, and read it again. Raises NotFound for glyphs that are gone,
        InvalidInput, RevisionMismatch, and Precondition if there is nothing to undo.
        """
        with self._open(info, page) as opened:
            history = opened.history
            if expected_revision is not None and expected_revision != history.revision:
                raise RevisionMismatch(expected_revision, history.revision, "page")
            before = opened.reading or self._read(info, page, opened, self.workspaces.adapt_knowledge(info.workspace))
            correction, state = history.resolve(correction)
            step = Step(correction, history.state, self._embed(state), history.samples)
            taught = self._carry_out(info, page, history, step, client)
            after = self._read(info, page, opened, self.workspaces.adapt_knowledge(info.workspace))
        return CorrectedPage(after, taught, _find_changes(before, after), self.store.get(info.reading_id))

    def list_settled_drawings(self, info: ReadingInfo, page: int) -> list[LabeledDrawing]:
        """Return the glyphs of a page that people have named."""
        with self._open(info, page) as opened:
            variants = self.workspaces.adapt_knowledge(info.workspace).variants
            state = opened.history.state
            return [
                LabeledDrawing(
                    label=variants.canonical(text),
                    name=f"{info.reading_id}-{page}-{glyph_id}",
                    raster=state.page.rasters[glyph_id],
                )
                for glyph_id, text in state.labels.items()
            ]

    def evaluate(self, info: ReadingInfo, page: int) -> PageEvaluation:
        """Compare what a page said at first with what it says now."""
        with self._open(info, page) as opened:
            knowledge = self.workspaces.adapt_knowledge(info.workspace)
            now = self._read(info, page, opened, knowledge)
            unsettled = read_taught(opened.history.first, knowledge, self.parameters, others=opened.others)
            return PageEvaluation(
                page=page,
                glyphs=len(now.glyphs),
                settled_glyphs=sum(glyph.is_settled for glyph in now.glyphs),
                corrections=opened.history.corrections,
                first_errors=count_errors(self.store.page(info.reading_id, page), now),
                unsettled_errors=count_errors(unsettled, now),
            )

    @contextmanager
    def _open(self, info: ReadingInfo, page: int) -> Iterator[OpenPage]:
        def is_current(history: PageHistory) -> bool:
            return self.store.has_all_corrections(info.reading_id, page, history.revision)

        with self.pages.use(info.reading_id, page, lambda: self._load(info, page), is_current) as opened:
            self.store.get(info.reading_id)  # which may have been deleted while others had the page
            yield opened

    def _load(self, info: ReadingInfo, page: int) -> PageHistory:
        taught = self.store.load_taught_page(info.reading_id, page) if info.workspace else None
        if taught is None:
            raise Precondition(
                "this page cannot be corrected, because no workspace has read it; read the document again in the mode "
                "for what you taught, and keep it",
                Reason.READING_NOT_CORRECTABLE,
            )
        taught = embed_page(taught, self.encoder)
        try:
            history = PageHistory(taught, self.store.corrections(info.reading_id, page), self.frame)
        except (InvalidInput, NotFound) as error:
            raise damaged_journal(info.reading_id) from error
        history.state = self._embed(history.state)
        return history

    def _embed(self, state: PageState) -> PageState:
        """Return a state whose page has the embeddings of glyphs that were split or joined."""
        return replace(state, page=embed_page(state.page, self.encoder))

    def _read(self, info: ReadingInfo, page: int, opened: OpenPage, knowledge: Knowledge) -> PageReading:
        history = opened.history
        others = self.texts.order_of_others(info.workspace, info.reading_id, page, knowledge.variants)
        if opened.reading and opened.is_up_to_date(knowledge, others):
            return opened.reading
        started = time.perf_counter()
        state, variants = history.state, knowledge.variants
        settled = Settled(
            {glyph_id: text and variants.canonical(text) for glyph_id, text in state.settled.labels.items()}
        )
        reading = read_taught(state.page, knowledge, self.parameters, settled=settled, others=others)
        questions = find_questions(state.page, reading, knowledge, self.parameters)
        elapsed_ms = (time.perf_counter() - started) * 1000
        opened.reading = replace(reading, elapsed_ms=elapsed_ms, revision=history.revision, questions=questions)
        opened.knowledge, opened.others = knowledge, others
        self._note(info, page, opened, opened.reading)
        return opened.reading

    def _note(self, info: ReadingInfo, page: int, opened: OpenPage, reading: PageReading) -> None:
        """Let lists show what a page says now, and other pages learn from what is settled on it."""
        present = PresentText(reading.revision, reading.text[:EXCERPT_LENGTH], find_runs(reading))
        if present != opened.noted:
            self.texts.note(info.workspace, info.reading_id, page, present.runs)
            self.store.note_present(info.reading_id, page, present)
            opened.noted = present

    def _carry_out(
        self, info: ReadingInfo, page: int, history: PageHistory, step: Step, client: Caller
    ) -> tuple[int, ...]:
        """Teach and forget what a step asks for, note it, and return the new samples."""
        if step.changes_nothing:
            return ()
        lessons, own = step.lessons, step.own_samples
        samples = self.workspaces.exchange(info.workspace, lessons, own, client) if lessons or own else ()
        reach("correction.taught")
        entry = JournalEntry(
            revision=history.revision + 1,
            time_us=now_us(),
            correction=step.correction,
            taught=dict(zip(step.taught, samples, strict=True)),
            forgotten=step.forgotten,
            next_id=max(history.next_id, step.after.page.rasters.count),
        )
        try:
            self.store.append_correction(info.reading_id, page, entry)
        except BaseException:
            with suppress(HaleganadaError):
                self.workspaces.exchange(info.workspace, *step.take_back(entry.taught), client)
            raise
        reach("correction.noted")
        history.append(entry, step.after)
        return samples


def damaged_journal(reading_id: str) -> DataLoss:
    """Return the error of a journal that does not belong to its page."""
    return DataLoss(
        f"the files of the reading {reading_id} are damaged; delete it, and read the document again",
        Reason.READING_DAMAGED,
    )


def _find_changes(before: PageReading, after: PageReading) -> tuple[int, ...]:
    """Return the glyphs that a page has after a correction, and had not before it, or with another text."""
    texts = {glyph.glyph_id: glyph.text for glyph in before.glyphs}
    return tuple(
        glyph.glyph_id
        for glyph in after.glyphs
        if glyph.glyph_id is not None and texts.get(glyph.glyph_id) != glyph.text
    )
