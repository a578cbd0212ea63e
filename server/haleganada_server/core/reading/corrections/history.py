"""A page with its journal: what people have said about it so far, and what it was before that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import InvalidInput, NotFound, Precondition
from haleganada_server.core.reading.taught.edits.editing import Frame, join_groups, split_group
from haleganada_server.core.reading.taught.page import RASTER_SIDE, TaughtPage
from haleganada_server.core.reading.taught.settled import Settled, find_allowed

from .corrections import (
    Correction,
    CorrectionUndo,
    GlyphJoin,
    GlyphNaming,
    GlyphRemoval,
    GlyphSplit,
    JournalEntry,
    glyphs_of,
)

_OF_AN_ENTRY = 1_000  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class PageState:
    """settled: with labels as people said them, which may be forms of other labels."""

    page: TaughtPage
    settled: Settled = field(default_factory=Settled)

    @property
    def labels(self) -> Mapping[int, str]:
        """The label of each glyph that has been named, by its id."""
        return {glyph_id: text for glyph_id, text in self.settled.labels.items() if text}


class PageHistory:
    """One page, for one thread at a time."""

    def __init__(self, first: TaughtPage, entries: Sequence[JournalEntry], frame: Frame) -> None:
        """frame: draws glyphs, see taught/edits/editing.py. Raises InvalidInput or NotFound for entries that do not
        belong to the page.
        """
        self._first, self._frame = PageState(first), frame
        self._entries: list[JournalEntry] = []
        self.samples: dict[int, int] = {}
        """The sample that each named glyph has taught, by its id."""
        for entry in entries:
            self._note(entry)
        self.state = self._rebuild(self.revision)

    @property
    def first(self) -> TaughtPage:
        """The page as it was before all corrections."""
        return self._first.page

    @property
    def revision(self) -> int:
        return len(self._entries)

    @property
    def next_id(self) -> int:
        """Above the ids of all glyphs that the page has, or has had."""
        return self._entries[-1].next_id if self._entries else self.first.rasters.count

    @property
    def memory_bytes(self) -> int:
        """About how many bytes of memory it takes."""
        return self.first.nbytes + _OF_AN_ENTRY * len(self._entries)

    @property
    def corrections(self) -> int:
        """How many corrections were not taken back."""
        return len(self._find_live(self.revision))

    def resolve(self, correction: Correction) -> tuple[Correction, PageState]:
        """Return a correction as a journal has it, and the state after it. Raises NotFound for glyphs that are gone,
        InvalidInput, and Precondition if there is nothing to undo.
        """
        if not isinstance(correction, CorrectionUndo):
            require_glyphs(self.state, glyphs_of(correction))
            return correction, apply_correction(self.state, correction, self.next_id, self._frame)
        revision = self._find_undone() if correction.revision is None else correction.revision
        if not 0 <= revision <= self.revision:
            raise InvalidInput("undo.revision", f"is {revision}; the page has had the revisions 0 to {self.revision}")
        return CorrectionUndo(revision), self._rebuild(revision)

    def append(self, entry: JournalEntry, state: PageState) -> None:
        """Go on to the state after an entry that is in the journal now."""
        self._note(entry)
        self.state = state

    def _note(self, entry: JournalEntry) -> None:
        if entry.revision != self.revision + 1:
            raise InvalidInput("revision", f"is {entry.revision} behind {self.revision}")
        for glyph_id in entry.forgotten:
            self.samples.pop(glyph_id, None)
        self.samples.update(entry.taught)
        self._entries.append(entry)

    def _find_undone(self) -> int:
        live = self._find_live(self.revision)
        if not live:
            raise Precondition(
                "there is nothing left to undo on this page; correct a glyph first",
                Reason.NOTHING_TO_UNDO,
            )
        return live[-1].revision - 1

    def _find_live(self, revision: int) -> list[JournalEntry]:
        """Return the entries that make the page what it was at a revision, in order."""
        live = []
        while revision > 0:
            entry = self._entries[revision - 1]
            if isinstance(entry.correction, CorrectionUndo):
                revision = entry.correction.revision or 0
            else:
                live.append(entry)
                revision -= 1
        return live[::-1]

    def _rebuild(self, revision: int) -> PageState:
        state = self._first
        for entry in self._find_live(revision):
            next_id = self._entries[entry.revision - 2].next_id if entry.revision > 1 else self.first.rasters.count
            state = apply_correction(state, entry.correction, next_id, self._frame)
        return state


def require_glyphs(state: PageState, glyph_ids: Sequence[int]) -> None:
    """Raise NotFound if a page has no glyph of an id, or no longer, because people have said otherwise since."""
    lattice = state.page.lattice
    allowed = find_allowed(lattice, state.settled)
    for glyph_id in glyph_ids:
        if not allowed[lattice.find_group(glyph_id)]:
            raise NotFound("glyph", str(glyph_id), "its ink belongs to another glyph by now; get the page again")


def apply_correction(state: PageState, correction: Correction, next_id: int, frame: Frame) -> PageState:
    """Return the state after a correction that takes none back. next_id: of the first glyph that it makes. Raises
    NotFound for unknown glyphs, and InvalidInput.
    """
    match correction:
        case GlyphNaming(glyph_ids, text):
            return _settle(state, glyph_ids, text)
        case GlyphRemoval(glyph_ids):
            return _settle(state, glyph_ids, "")
        case GlyphSplit(glyph_id, start, end):
            settled = state.settled.release(state.page.lattice, [glyph_id])
            page = split_group(_reserve_ids(state.page, next_id), glyph_id, (start, end), frame)
            return PageState(page, settled)
        case GlyphJoin(glyph_ids, text):
            page, joined = join_groups(_reserve_ids(state.page, next_id), glyph_ids, frame)
            state = PageState(page, state.settled.release(page.lattice, [joined]))
            return _settle(state, [joined], text) if text else state
        case CorrectionUndo():
            raise AssertionError("an undo is resolved before")


def _reserve_ids(page: TaughtPage, next_id: int) -> TaughtPage:
    """Return a page whose next group gets an id; those between belong to glyphs that it has had."""
    missing = next_id - page.rasters.count
    blank = np.zeros((RASTER_SIDE, RASTER_SIDE), np.uint8)
    return replace(page, rasters=page.rasters.append([blank] * missing)) if missing > 0 else page


def _settle(state: PageState, glyph_ids: Sequence[int], text: str) -> PageState:
    settled = state.settled
    for glyph_id in glyph_ids:
        settled = settled.settle(state.page.lattice, glyph_id, text)
    if any(glyph_id not in settled.labels for glyph_id in glyph_ids):
        raise InvalidInput("glyph_ids", "has glyphs that overlap; name each piece of ink only once")
    return PageState(state.page, settled)
