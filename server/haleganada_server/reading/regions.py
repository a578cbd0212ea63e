"""Reads one region of a prepared page: a column, or all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from haleganada_server.core.reading.options import ReadMode, ReadOptions
from haleganada_server.core.reading.page import EngineChoice, TextBlock, TextLine, TextWord

from .choice.auto import PLAUSIBLE, Choice, choose
from .choice.candidates import Candidate, find_candidates
from .choice.doubts import resolve_doubts
from .engines.port import EngineRequest, Picture
from .layout.line_cuts import LineCut, cut_lines
from .layout.lines import as_polygon, bounds
from .layout.order import order_lines, order_pieces
from .layout.segmentation import find_words


def read_region(picture: Picture, options: ReadOptions) -> list[TextBlock]:
    """Return the blocks of a region in reading order, with polygons in px of its picture."""
    candidates = find_candidates(options)
    first = candidates[0]
    if options.engine or options.segment_only:
        mode = ReadMode.PRINTED if options.mode is ReadMode.AUTO else options.mode
        request = EngineRequest(
            mode=mode, languages=first.languages, segment_only=options.segment_only, decoding=options.decoding
        )
        lines = first.engine.read_page(picture, request)
        return _as_blocks([_add_words(picture, line) for line in lines] if options.segment_only else lines, {})
    if len(candidates) == 1:
        choice = choose([], candidates, options.mode)
        return _as_blocks(first.engine.read_page(picture, choice.request), {first.engine.id: choice.told})
    return _read_by_the_best(picture, candidates, options.mode)


def _read_by_the_best(picture: Picture, candidates: Sequence[Candidate], mode: ReadMode) -> list[TextBlock]:
    finder = candidates[0]
    request = EngineRequest(mode=ReadMode.PRINTED, languages=finder.languages, segment_only=True)
    found = [line for block in order_pieces(finder.engine.read_page(picture, request)) for line in block]
    cuts = cut_lines(picture, [line.polygon for line in found])
    if not cuts:
        return []
    choice = choose([cut.picture for cut in cuts], candidates, mode)
    if choice.candidate.engine is finder.engine:
        read = choice.candidate.engine.read_lines([cut.picture for cut in cuts], choice.request)
        lines = [cut.place(line) for cut, line in zip(cuts, read, strict=True)]
    else:
        lines = choice.candidate.engine.read_page(picture, choice.request)
        missed = [cut for cut, line in zip(cuts, found, strict=True) if not _is_among(line, lines)]
        lines += _read_missed(missed, choice)
    others = [candidate for candidate in candidates if candidate.engine is not choice.candidate.engine]
    resolved, told = resolve_doubts(picture, lines, choice, others)
    return _as_blocks([line for line in resolved if line.text], told)


def _add_words(picture: Picture, line: TextLine) -> TextLine:
    """Return a line with the words that its ink shows, if the engine tells none apart."""
    if line.words:
        return line
    (cut,) = cut_lines(picture, [line.polygon])
    words = tuple(TextWord(text="", polygon=as_polygon(box)) for box in find_words(cut.picture))
    return replace(line, words=cut.place(replace(line, words=words)).words)


def _read_missed(cuts: Sequence[LineCut], choice: Choice) -> list[TextLine]:
    """Read lines one by one that an engine has not found itself, as some of a page that bends."""
    read = choice.candidate.engine.read_lines([cut.picture for cut in cuts], choice.request)
    return [cut.place(line) for cut, line in zip(cuts, read, strict=True) if (line.confidence or 0.0) >= PLAUSIBLE]


def _is_among(line: TextLine, lines: Sequence[TextLine]) -> bool:
    """Tell whether the middle of a line lies in one of the lines."""
    x, y = np.mean(line.polygon, axis=0)
    boxes = (bounds([other.polygon]) for other in lines)
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)


def _as_blocks(lines: Sequence[TextLine], told: dict[str, EngineChoice]) -> list[TextBlock]:
    """Return lines as blocks in reading order, each by one engine. told: what the caller is told of each engine."""
    return [
        TextBlock(polygon=as_polygon(bounds(line.polygon for line in run)), lines=tuple(run), choice=told.get(engine))
        for block in order_lines(lines)
        for engine, group in groupby(block, key=lambda line: line.engine)
        if (run := list(group))
    ]
