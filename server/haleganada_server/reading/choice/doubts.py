"""What an engine is not sure of is tried by the others: lines and words, as a quotation in another script needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import EngineChoice, Polygon, TextLine, TextWord
from haleganada_server.reading.engines.port import EngineRequest, Picture
from haleganada_server.reading.layout.line_cuts import cut_lines
from haleganada_server.reading.layout.lines import as_polygon, bounds

from .auto import PLAUSIBLE, SURE, Choice, find_script, tell
from .candidates import Candidate

_DOUBTFUL = 0.7  # confidence of a line or word, below which others try it
_SHORT = 4  # characters of words of which any engine may be sure by chance
_MIN_LENGTH = 8  # characters of words that are tried; of fewer, nonsense may look sure


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Words of a line, from `start` to `end`; both None = the whole line, whatever its words are."""

    line: int
    outline: Polygon
    confidence: float
    start: int | None = None
    end: int | None = None


def resolve_doubts(
    picture: Picture, lines: Sequence[TextLine], choice: Choice, others: Sequence[Candidate]
) -> tuple[list[TextLine], dict[str, EngineChoice]]:
    """Return the lines, each by the engine that is surer of it, and what the caller is told of each engine."""
    resolved = list(lines)
    told = {choice.candidate.engine.id: choice.told}
    for other in others:
        if other.own_mode is ReadMode.HANDWRITTEN:
            continue  # made for handwriting alone, it may be sure of nonsense
        # Only an engine that is rarely sure of nonsense may have parts of lines.
        parts = other.reads(ReadMode.HANDWRITTEN)
        doubts = [doubt for i, line in enumerate(resolved) for doubt in _find_doubts(i, line, parts, choice.candidate)]
        cuts = cut_lines(picture, [doubt.outline for doubt in doubts])
        request = EngineRequest(mode=ReadMode.PRINTED, languages=other.languages, decoding=other.decoding)
        tried = other.engine.read_lines([cut.picture for cut in cuts], request) if cuts else []
        for doubt, cut, line in reversed(list(zip(doubts, cuts, tried, strict=True))):
            surer = (line.confidence or 0.0) >= max(SURE if parts else PLAUSIBLE, doubt.confidence)
            if surer and line.text and other.knows(find_script([line.text])):
                resolved[doubt.line] = _put(cut.place(line), resolved[doubt.line], doubt)
                reason = f"it is surer of these lines than {choice.candidate.engine.id}, which read those around them"
                told[other.engine.id] = tell(other, ReadMode.PRINTED, reason).told
    return resolved, told


def _find_doubts(number: int, line: TextLine, parts: bool, reader: Candidate) -> list[_Doubt]:
    """Return what is to be tried of a line. parts: also words of it. reader: who read most of the region."""
    if not line.text:
        return []
    runs = _find_runs(line, reader) if parts else []
    if runs and runs != [(0, len(line.words))]:
        return [_part(number, line, start, end) for start, end in runs]
    confidence = line.confidence or 0.0
    outline = line.polygon if len(line.polygon) == 4 else as_polygon(bounds([line.polygon]))
    is_doubtful = confidence < _DOUBTFUL or not reader.knows(find_script([line.text]))
    return [_Doubt(number, outline, confidence)] if is_doubtful else []


def _find_runs(line: TextLine, reader: Candidate) -> list[tuple[int, int]]:
    """Return where doubtful words start and end that follow each other, or have only short ones between them."""
    doubts = [_is_doubtful(word, reader) for word in line.words]
    runs = []
    for _, group in groupby(enumerate(line.words), key=lambda pair: doubts[pair[0]] or _is_short(pair[1])):
        doubtful = [i for i, _ in group if doubts[i]]
        if sum(len(line.words[i].text) for i in doubtful) >= _MIN_LENGTH:
            runs.append((doubtful[0], doubtful[-1] + 1))
    return runs


def _is_doubtful(word: TextWord, reader: Candidate) -> bool:
    """Tell whether its reader is not sure of a word, or is not made for its letters."""
    if word.confidence is None:
        return False
    return word.confidence < _DOUBTFUL or not reader.knows(find_script([word.text]))


def _is_short(word: TextWord) -> bool:
    return len(word.text) <= _SHORT


def _part(number: int, line: TextLine, start: int, end: int) -> _Doubt:
    words = line.words[start:end]
    left, _, right, _ = bounds(word.polygon for word in words)
    _, top, _, bottom = bounds([line.polygon])
    confidence = float(np.mean([word.confidence or 0.0 for word in words]))
    return _Doubt(number, as_polygon((left, top, right, bottom)), confidence, start, end)


def _put(read: TextLine, line: TextLine, doubt: _Doubt) -> TextLine:
    """Return the line with what was read instead. It bears the id of the engine that read most of it."""
    if doubt.start is None or doubt.end is None:
        return read
    words = (*line.words[: doubt.start], *read.words, *line.words[doubt.end :])
    text = " ".join(word.text for word in words)
    return replace(
        line,
        text=text,
        words=words,
        confidence=float(np.mean([word.confidence or 0.0 for word in words])),
        engine=read.engine if 2 * len(read.text) > len(text) else line.engine,
    )
