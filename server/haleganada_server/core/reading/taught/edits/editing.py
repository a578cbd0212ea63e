"""What a person does to the groups of a page: a glyph is two, or several are one. A page itself never changes; to take
an edit back is to go on with the page from before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.reading.taught.lattice import GlyphLattice
from haleganada_server.core.reading.taught.page import TaughtPage

from .division import Line, divide
from .regrouping import Span, add_groups, take_to_pieces

Frame = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Makes an ink raster, (128, 128), of ink on a canvas, see vision.frame."""

_SPECK = 0.3  # letter heights of ink that may lie between glyphs that are joined, and belongs to them then


def split_group(page: TaughtPage, group_id: int, line: Line, frame: Frame) -> TaughtPage:
    """Return a page on which a group is two: no glyph reaches across the line any longer. Parts that the line crosses
    become two; groups that there are keep their ids, and the new ones wait for their embeddings, see TaughtPage.embed.
    What was settled in the group has to be released, see Settled.release. line: two points in px of the page as it is
    shown; it goes on beyond them. Raises NotFound; InvalidInput if it does not divide the ink.
    """
    lattice = page.lattice
    first, last = lattice.groups[lattice.find_group(group_id)].tolist()
    number = lattice.find_line(first)
    start = int(lattice.line_starts[number])
    direction = int(lattice.find_directions(np.array([first]))[0])
    division = divide(page.ink.unpack(number), first - start, last - start, page.frame.to_lattice(line), direction)
    pieces = [piece._replace(origin=piece.origin + start) for piece in division.pieces]
    lattice, kept = take_to_pieces(lattice, first, last, pieces, division.wall)
    wall = first + division.wall
    crossing = (lattice.groups[:, 0] < wall) & (lattice.groups[:, 1] > wall)
    spans = {half for begin, end in lattice.groups[crossing].tolist() for half in ((begin, wall), (wall, end))}
    spans |= {(part, part + 1) for part in range(first, first + len(pieces))}
    return _with_groups(
        replace(
            page,
            lattice=replace(lattice, is_joined=lattice.is_joined & ~crossing),
            ink=page.ink.replace_line(number, division.ink),
            embeddings=page.embeddings[kept] if len(page.embeddings) else page.embeddings,
        ),
        spans,
        frame,
    )


def join_groups(page: TaughtPage, group_ids: Sequence[int], frame: Frame) -> tuple[TaughtPage, int]:
    """Return a page on which groups that follow each other in a line are one glyph, and the id of that. Specks between
    them belong to it. If there was no such group, it waits for its embedding, see TaughtPage.embed. What was settled in
    it has to be released, see Settled.release. Raises NotFound; InvalidInput if other ink lies between them.
    """
    lattice = page.lattice
    spans = lattice.groups[[lattice.find_group(one) for one in group_ids]]
    first, last = int(spans[:, 0].min()), int(spans[:, 1].max())
    _require_neighbors(lattice, spans.tolist(), first, last)
    is_parted = lattice.is_parted.copy()
    is_parted[first + 1 : last] = False
    page = _with_groups(replace(page, lattice=replace(lattice, is_parted=is_parted)), {(first, last)}, frame)
    lattice = page.lattice
    group = int(np.flatnonzero((lattice.groups == (first, last)).all(axis=1))[0])
    is_joined = lattice.is_joined & ~lattice.find_overlaps(group)
    is_joined[group] = True
    return replace(page, lattice=replace(lattice, is_joined=is_joined)), int(lattice.group_ids[group])


def _require_neighbors(lattice: GlyphLattice, spans: list[list[int]], first: int, last: int) -> None:
    between = set(range(first, last)).difference(*(range(*span) for span in spans))
    sides = (lattice.part_boxes[:, 2:] - lattice.part_boxes[:, :2]).max(axis=1)
    if lattice.find_line(first) != lattice.find_line(last - 1) or any(
        sides[part] > _SPECK * lattice.letter for part in between
    ):
        raise InvalidInput("join", "only glyphs that follow each other in one line can be joined; choose neighbors")


def _with_groups(page: TaughtPage, spans: set[Span], frame: Frame) -> TaughtPage:
    """Return a page with further groups, without embeddings."""
    old, count = len(page.lattice.groups), page.rasters.count
    lattice, order = add_groups(page.lattice, spans, count)
    new = [lattice.find_group(one) for one in range(count, count + len(lattice.groups) - old)]
    rasters = page.rasters.append([frame(_draw(page, lattice, group)) for group in new]) if new else page.rasters
    embeddings = page.embeddings
    if len(embeddings):
        missing = np.full((len(new), embeddings.shape[1]), np.nan, np.float32)
        embeddings = np.concatenate([embeddings, missing])[order]
    return replace(page, lattice=lattice, rasters=rasters, embeddings=embeddings).forget_vectors()


def _draw(page: TaughtPage, lattice: GlyphLattice, group: int) -> NDArray[np.uint8]:
    first, last = lattice.groups[group].tolist()
    line = lattice.find_line(first)
    start = int(lattice.line_starts[line])
    return page.ink.unpack(line).draw(first - start, last - start, lattice.group_boxes[group].tolist())
