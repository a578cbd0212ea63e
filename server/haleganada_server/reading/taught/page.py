"""Takes one page of a document apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    lattice, rasters, ink = _build_lattices(prepared, _find_beyond(prepared, (width, height)))
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


def _find_beyond(prepared: PreparedPage, size: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Return which px of the prepared picture, (height, width), are not on the page; None if all are. size: width and
    height of the page.
    """
    if not prepared.skew_degrees:
        return None
    y, x = np.ogrid[: prepared.picture.shape[0], : prepared.picture.shape[1]]
    a, b, c, d, e, f = prepared.to_page.ravel()
    across, down = a * (x + 0.5) + b * (y + 0.5) + c, d * (x + 0.5) + e * (y + 0.5) + f
    return np.asarray((across < 0) | (across > size[0]) | (down < 0) | (down > size[1]))


def _build_lattices(
    prepared: PreparedPage, beyond: NDArray[np.bool_] | None
) -> tuple[GlyphLattice, list[Raster], PageInkMap]:
    """Return the lattice of all columns, in px of the prepared picture, and their ink. beyond: see _find_beyond."""
    height, width = prepared.picture.shape[:2]
    lattices, rasters, inks = [], [], []
    for box in prepared.columns or ((0.0, 0.0, float(width), float(height)),):
        left, top, right, bottom = (round(edge) for edge in box)
        place = np.s_[top:bottom, left:right]
        lattice, drawn, ink = build_lattice(prepared.picture[place], None if beyond is None else beyond[place])
        lattices.append(lattice.move(left, top))
        inks.append(ink.move(left, top))
        rasters += drawn
    return GlyphLattice.join(lattices), rasters, PageInkMap.join(inks)
