"""Takes one page of a document apart."""

from __future__ import annotations

from haleganada_server.core.reading.options import PreparationStep, ReadOptions
from haleganada_server.core.reading.page import StepPicture
from haleganada_server.core.reading.taught.ink import PageInkMap
from haleganada_server.core.reading.taught.lattice import GlyphLattice
from haleganada_server.core.reading.taught.page import GroupRasters, PageFrame, TaughtPage
from haleganada_server.reading.documents.document import Document
from haleganada_server.reading.preparation import prepare
from haleganada_server.reading.preparation.prepared import PreparedPage

from .lattice import Raster, build_lattice

_UNKNOWABLE = frozenset({PreparationStep.TURN})
"""Nobody but its owner knows which way up an unknown script is, so its pages are taken to be upright."""


def take_page_apart(document: Document, page: int, options: ReadOptions) -> tuple[TaughtPage, tuple[StepPicture, ...]]:
    """Return a page without embeddings, and the pictures of its preparation. page: from 1. The text that the page may
    have is not looked at. Raises NotFound or Exhausted.
    """
    picture = document.draw(page)
    height, width = picture.shape[:2]
    prepared = prepare(picture, options.skipped_steps | _UNKNOWABLE, options.debug)
    lattice, rasters, ink = _build_lattices(prepared)
    frame = PageFrame(
        page=page,
        width=width,
        height=height,
        to_page=tuple(float(number) for number in prepared.to_page.ravel()),
        turn_degrees=prepared.turn_degrees,
        skew_degrees=prepared.skew_degrees,
    )
    taken = TaughtPage.without_embeddings(frame, lattice, GroupRasters.compress(rasters), ink)
    return taken, prepared.step_pictures


def _build_lattices(prepared: PreparedPage) -> tuple[GlyphLattice, list[Raster], PageInkMap]:
    """Return the lattice of all columns, in px of the prepared picture, and their ink."""
    height, width = prepared.picture.shape[:2]
    lattices, rasters, inks = [], [], []
    for box in prepared.columns or ((0.0, 0.0, float(width), float(height)),):
        left, top, right, bottom = (round(edge) for edge in box)
        lattice, drawn, ink = build_lattice(prepared.picture[top:bottom, left:right])
        lattices.append(lattice.move(left, top))
        inks.append(ink.move(left, top))
        rasters += drawn
    return GlyphLattice.join(lattices), rasters, PageInkMap.join(inks)
