"""The engines that suit a request, as far as they are installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.reading.options import PLAIN, LineDecoding, ReadMode, ReadOptions
from haleganada_server.reading.engines import ENGINES, MOST_LANGUAGES, find_engine
from haleganada_server.reading.engines.languages import join, script_of_language
from haleganada_server.reading.engines.port import TextEngine


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine that is installed. languages: those of the request that it reads. decoding: that was asked for."""

    engine: TextEngine
    languages: tuple[str, ...]
    decoding: LineDecoding = PLAIN

    def reads(self, mode: ReadMode) -> bool:
        return mode in self.engine.describe().modes

    @property
    def own_mode(self) -> ReadMode:
        """For which it is tried where another engine is not sure: print, unless it is made for handwriting alone."""
        return ReadMode.PRINTED if self.reads(ReadMode.PRINTED) else ReadMode.HANDWRITTEN

    def knows(self, script: str) -> bool:
        """Tell whether it is made for a script, "" = text without letters. What it reads of others may be nonsense."""
        languages = self.languages or self.engine.describe().languages
        return not script or script in {script_of_language(language) for language in languages}


def find_candidates(options: ReadOptions) -> list[Candidate]:
    """Return one engine or more, the preferred one first. Raises NotFound or Precondition if there is none."""
    if options.engine:
        return [_make_named_candidate(find_engine(options.engine, options.model_folder), options)]
    candidates = [candidate for engine in ENGINES if (candidate := _as_candidate(engine, options))]
    if not candidates:
        raise _explain(options.languages)
    covered = {language for candidate in candidates for language in candidate.languages}
    missing = [language for language in options.languages if language not in covered]
    if missing:
        raise _explain(missing)
    suitable = [candidate for candidate in candidates if options.mode is ReadMode.AUTO or candidate.reads(options.mode)]
    covered = {language for candidate in suitable for language in candidate.languages}
    return suitable if suitable and covered.issuperset(options.languages) else candidates


def _make_named_candidate(engine: TextEngine, options: ReadOptions) -> Candidate:
    engine.check(options.languages)
    modes = engine.describe().modes
    if options.mode is not ReadMode.AUTO and options.mode not in modes:
        raise Precondition(
            f"the engine {engine.id} reads {join(mode.value for mode in modes)} text only; name another mode, or leave "
            "the engine out",
            Reason.MODE_UNAVAILABLE,
        )
    return Candidate(engine, options.languages, options.decoding)


def _as_candidate(engine: TextEngine, options: ReadOptions) -> Candidate | None:
    """Return an engine with the languages that it reads; None if it reads none of them or is not installed."""
    if _problem(engine, ()):
        return None
    known = tuple(language for language in options.languages if not _problem(engine, (language,)))
    return Candidate(engine, known, options.decoding) if known or not options.languages else None


def _problem(engine: TextEngine, languages: Sequence[str]) -> Precondition | None:
    try:
        engine.check(languages)
    except Precondition as problem:
        return problem
    return None


def _explain(languages: Sequence[str]) -> Precondition:
    """Return why these languages cannot be read."""
    if not languages:
        hints = " or ".join(engine.describe().install_hint for engine in ENGINES)
        return Precondition(f"no engine that reads text is installed; run {hints}", Reason.ENGINE_NOT_INSTALLED)
    return _problem(MOST_LANGUAGES, languages) or Precondition(
        f"no engine here reads {join(languages)}", Reason.LANGUAGE_NOT_INSTALLED
    )
