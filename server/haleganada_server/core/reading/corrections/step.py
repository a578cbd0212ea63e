"""A step from one state of a page to another, and what it means for the workspace: its samples of the page are always
those of the glyphs that are named, whether they were named, renamed, split, or named again by an undo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.glyphs.ports import Raster
from haleganada_server.core.reading.taught.page import TaughtPage

from .corrections import Correction, GlyphNaming
from .history import PageState

Lesson = tuple[str, Drawing]
OwnSample = tuple[int, Raster]


@dataclass(frozen=True, eq=False)
class Step:
    """samples: that the page has taught before, by glyph."""

    correction: Correction
    before: PageState
    after: PageState
    samples: Mapping[int, int]

    @property
    def changes_nothing(self) -> bool:
        same = self.before.page is self.after.page and self.before.settled == self.after.settled
        return same and not isinstance(self.correction, GlyphNaming)

    @cached_property
    def taught(self) -> dict[int, str]:
        """The label of each glyph that becomes a sample."""
        return {glyph_id: text for glyph_id, text in self.after.labels.items() if glyph_id not in self._kept}

    @cached_property
    def forgotten(self) -> tuple[int, ...]:
        """The glyphs whose samples are forgotten."""
        return tuple(glyph_id for glyph_id in self.samples if glyph_id not in self._kept)

    @property
    def lessons(self) -> list[Lesson]:
        """What is taught, in the order of `taught`."""
        return [(text, _draw(self.after.page, glyph_id)) for glyph_id, text in self.taught.items()]

    @property
    def own_samples(self) -> list[OwnSample]:
        """What is forgotten, in the order of `forgotten`."""
        return [(self.samples[glyph_id], self.before.page.rasters[glyph_id]) for glyph_id in self.forgotten]

    def take_back(self, taught: Mapping[int, int]) -> tuple[list[Lesson], list[OwnSample]]:
        """Return what undoes the step in the workspace. taught: the new samples, by glyph."""
        labels = self.before.labels
        lessons = [(labels[glyph_id], _draw(self.before.page, glyph_id)) for glyph_id in self.forgotten]
        return lessons, [(sample_id, self.after.page.rasters[glyph_id]) for glyph_id, sample_id in taught.items()]

    @cached_property
    def _kept(self) -> set[int]:
        """The glyphs whose samples stay. Those that are named are taught in any case: their samples may be gone since
        the workspace was reset or restored.
        """
        before = self.before.labels
        kept = {glyph_id for glyph_id, text in self.after.labels.items() if before.get(glyph_id) == text}
        return kept.difference(self.correction.glyph_ids) if isinstance(self.correction, GlyphNaming) else kept


def _draw(page: TaughtPage, glyph_id: int) -> Drawing:
    """Return a glyph as it is taught."""
    return Drawing(page.embeddings[page.lattice.find_group(glyph_id)], page.rasters[glyph_id])
