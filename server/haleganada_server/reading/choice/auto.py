"""Which engine reads a region of a page, decided by reading a few of its lines, and why.

The first engine is sure of print in Latin letters and fairly sure of handwriting; of other scripts it makes nonsense,
and is not sure of it. Only where it is not sure, or the region is handwriting, the others try the same lines with the
models that they have, one after another until one is sure. Whoever is surest reads the region; a model of handwriting
alone need not be quite as sure as the others. What its lines then leave in doubt is tried by the others, line by line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import EngineChoice
from haleganada_server.reading.engines import ENGINES
from haleganada_server.reading.engines.languages import join, script_of_language, script_of_letter
from haleganada_server.reading.engines.port import EngineRequest, Picture

from .candidates import Candidate

SURE = 0.9  # confidence above which an engine needs no comparison
PLAUSIBLE = 0.6  # confidence below which a text may be nonsense
_LIKE_PRINT = 0.94  # confidence that handwriting does not reach
_MODEST = 0.1  # by which a model of handwriting is less sure than others where it reads as well
_SAMPLE = 5  # lines of a region


@dataclass(frozen=True, slots=True)
class Choice:
    """Who reads a region, and how."""

    candidate: Candidate
    mode: ReadMode
    told: EngineChoice

    @property
    def request(self) -> EngineRequest:
        return EngineRequest(mode=self.mode, languages=self.candidate.languages, decoding=self.candidate.decoding)


def choose(pictures: Sequence[Picture], candidates: Sequence[Candidate], mode: ReadMode) -> Choice:
    """Choose an engine for a region. pictures: of its lines, each cut out, in reading order. candidates: the
    preferred one first.
    """
    first, *others = candidates
    sample = _draw_sample(pictures)
    if not sample:
        return tell(first, mode, f"no other engine that suits the request is installed{_say_missing(candidates)}")
    sureness, _ = _try(first, sample, mode)
    tried = f"it read a sample with confidence {sureness:.2f}"
    mode = _guess_mode(sureness) if mode is ReadMode.AUTO else mode
    if sureness >= SURE:
        others = [other for other in others if _is_for_hands(other, mode)]
    best, surest = None, max(sureness, PLAUSIBLE)
    for other in others:
        compared, script = _try(other, sample, other.own_mode)
        compared += _MODEST if _is_for_hands(other, mode) else 0
        if compared >= surest and compared > sureness and other.knows(script):
            best, surest = _narrow(other, script), compared
        if surest >= SURE and best is not None:
            break
    if best is not None:
        made = _is_for_hands(best, mode)
        confidence = surest - _MODEST if made else surest
        reason = f"it read a sample with confidence {confidence:.2f}, {first.engine.id} with {sureness:.2f}"
        return tell(best, best.own_mode, reason + (", and it is made for handwriting" if made else ""))
    if sureness >= SURE:
        return tell(first, mode, tried)
    return tell(first, mode, f"{tried}, and no other engine that is installed did better{_say_missing(candidates)}")


def tell(candidate: Candidate, mode: ReadMode, reason: str) -> Choice:
    """Return a choice with what the caller is told about it."""
    if mode is not ReadMode.AUTO and not candidate.reads(mode):
        languages = f" in {join(candidate.languages)}" if candidate.languages else ""
        reason += f"; it is made for other text, but no engine here reads {mode.value} text{languages}"
    mode = ReadMode.PRINTED if mode is ReadMode.AUTO or not candidate.reads(mode) else mode
    return Choice(candidate, mode, EngineChoice(engine=candidate.engine.id, reason=reason, mode=mode))


def _draw_sample(pictures: Sequence[Picture]) -> list[Picture]:
    """Return a few lines from all over the region, none of the shorter ones."""
    lengths = [picture.shape[1] / picture.shape[0] for picture in pictures]
    longer = [picture for picture, length in zip(pictures, lengths, strict=True) if length >= np.median(lengths)]
    places = np.unique(np.linspace(0, len(longer) - 1, _SAMPLE).round().astype(int)) if longer else ()
    return [longer[place] for place in places]


def _try(candidate: Candidate, sample: Sequence[Picture], mode: ReadMode) -> tuple[float, str]:
    """Return the median confidence of the lines of a sample, and the script of most of their letters."""
    lines = candidate.engine.read_lines(sample, EngineRequest(mode=mode, languages=candidate.languages))
    return float(np.median([line.confidence or 0.0 for line in lines])), find_script(line.text for line in lines)


def find_script(texts: Iterable[str]) -> str:
    """Return the script of most letters, "" for texts without letters."""
    scripts = Counter(script_of_letter(letter) for text in texts for letter in text if letter.isalpha())
    return scripts.most_common(1)[0][0] if scripts else ""


def _narrow(candidate: Candidate, script: str) -> Candidate:
    """Return a candidate with the languages of one script, because those of others only disturb."""
    languages = candidate.languages or candidate.engine.describe().languages
    same = tuple(language for language in languages if script_of_language(language) == script)
    return replace(candidate, languages=same or candidate.languages)


def _is_for_hands(candidate: Candidate, mode: ReadMode) -> bool:
    """Tell whether an engine may read handwriting better than one for all kinds of text that is sure of it."""
    return mode is ReadMode.HANDWRITTEN and candidate.own_mode is mode


def _guess_mode(sureness: float) -> ReadMode:
    return ReadMode.PRINTED if sureness >= _LIKE_PRINT else ReadMode.HANDWRITTEN


def _say_missing(candidates: Sequence[Candidate]) -> str:
    """Return which engines could not be tried."""
    chosen = {candidate.engine.id for candidate in candidates}
    missing = [info for engine in ENGINES if engine.id not in chosen and not (info := engine.describe()).installed]
    return "".join(f"; {info.display_name} is not installed ({info.install_hint})" for info in missing)
