"""Takes one page of a document apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.options import PreparationStep, ReadingOrder, ReadOptions
from haleganada_server.core.reading.page import StepPicture
from haleganada_server.core.reading.taught.ink import LineInk, PageInkMap
from haleganada_server.core.reading.taught.lattice import GlyphLattice
from haleganada_server.core.reading.taught.page import GroupRasters, PageFrame, TaughtPage
from haleganada_server.reading.documents.document import Document
from haleganada_server.reading.preparation import prepare
from haleganada_server.reading.preparation.prepared import PreparedPage

from .lattice import build_lattice, draw_groups
from .orientation import Orientation, reverse_every_other_line

_UNKNOWABLE = frozenset({PreparationStep.TURN})
"""Nobody but its owner knows which way up an unknown script is, so its pages are taken to be upright."""
_ROWS = 64  # of a picture at once: places of all its px would take many times its own memory


def take_page_apart(document: Document, page: int, options: ReadOptions) -> tuple[TaughtPage, tuple[StepPicture, ...]]:
    """Return a page without embeddings, and the pictures of its preparation, turned as its text is. page: from 1. The
    text that the page may have is not looked at. Raises NotFound or Exhausted.
    """
    picture = document.draw(page)
    height, width = picture.shape[:2]
    orientation = Orientation.of(options.reading_order)
    picture = orientation.turn(picture)
    size = picture.shape[:2]
    prepared = prepare(picture, options.skipped_steps | _UNKNOWABLE, options.debug)
    del picture  # while the lattice is built, memory is at its peak
    lattice, inks = _build_lattices(prepared, _find_beyond(prepared, size))
    prepared_width = prepared.picture.shape[0 if orientation.is_swapped else 1]
    lattice = orientation.turn_lattice_back(lattice, prepared_width)
    inks = [orientation.turn_ink_back(ink, prepared_width) for ink in inks]
    if options.reading_order is ReadingOrder.BOUSTROPHEDON:
        lattice, inks = reverse_every_other_line(lattice, inks)
    frame = PageFrame(
        page=page,
        width=width,
        height=height,
        to_page=tuple(orientation.turn_map_back(prepared.to_page, prepared_width, width).ravel().tolist()),
        turn_degrees=prepared.turn_degrees,
        skew_degrees=orientation.turn_skew_back(prepared.skew_degrees),
    )
    rasters = GroupRasters.compress(draw_groups(lattice, inks))
    return TaughtPage.without_embeddings(frame, lattice, rasters, PageInkMap.pack(inks)), prepared.step_pictures


def _find_beyond(prepared: PreparedPage, size: Sequence[int]) -> NDArray[np.bool_] | None:
    """Return which px of the prepared picture, (height, width), are not on the page; None if all are. size: height and
    width of the page.
    """
    if not prepared.skew_degrees:
        return None
    a, b, c, d, e, f = prepared.to_page.ravel()
    x = np.arange(prepared.picture.shape[1])[None, :] + 0.5
    found = np.empty(prepared.picture.shape[:2], np.bool_)
    for start in range(0, len(found), _ROWS):
        y = np.arange(start, min(start + _ROWS, len(found)))[:, None] + 0.5
        across, down = a * x + b * y + c, d * x + e * y + f
        found[start : start + _ROWS] = (across < 0) | (across > size[1]) | (down < 0) | (down > size[0])
    return found


def _build_lattices(prepared: PreparedPage, beyond: NDArray[np.bool_] | None) -> tuple[GlyphLattice, list[LineInk]]:
    """Return the lattice of all columns, in px of the prepared picture, and the ink of its lines. beyond: see
    _find_beyond.
    """
    height, width = prepared.picture.shape[:2]
    lattices: list[GlyphLattice] = []
    inks: list[LineInk] = []
    for box in prepared.columns or ((0.0, 0.0, float(width), float(height)),):
        left, top, right, bottom = (round(edge) for edge in box)
        place = np.s_[top:bottom, left:right]
        lattice, found = build_lattice(prepared.picture[place], None if beyond is None else beyond[place])
        lattices.append(lattice.move(left, top))
        inks += (replace(ink, left=ink.left + left, top=ink.top + top) for ink in found)
    return GlyphLattice.join(lattices), inks
