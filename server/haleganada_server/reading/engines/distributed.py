"""Our own models of lines, as far as their distributions are installed. Lines of pages are found by another engine."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass

from haleganada_server.core.installation import describe_install
from haleganada_server.core.models.distributed import KANNADA_PRINT, LATIN_HAND, find_distributed_model
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import TextLine

from .line_model import LineModelEngine
from .port import EngineRequest, Picture, TextEngine
from .requirements import require_installed, require_languages


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """mode, languages: what the model was made for. scripts: other names of what it reads. extra: with which it is
    installed.
    """

    engine: str
    display_name: str
    distribution: str
    extra: str
    mode: ReadMode
    languages: tuple[str, ...]
    scripts: tuple[str, ...]


class DistributedEngine:
    """The engine of one model, see TextEngine."""

    def __init__(self, facts: _Facts, finders: Sequence[TextEngine]) -> None:
        """finders: of which the first one that is installed finds the lines of pages."""
        self.id = facts.engine
        self._facts, self._finders = facts, tuple(finders)
        self._opened: LineModelEngine | None = None

    def describe(self) -> EngineInfo:
        installed, facts = self._is_installed(), self._facts
        return EngineInfo(
            engine=self.id,
            display_name=facts.display_name,
            version=importlib.metadata.version(facts.distribution) if installed else "",
            modes=(facts.mode,),
            languages=facts.languages if installed else (),
            installed=installed,
            install_hint=describe_install(facts.extra),
        )

    def check(self, languages: Sequence[str]) -> None:
        require_installed(self.id, self._is_installed(), self._facts.extra)
        require_languages(self.id, languages, {*self._facts.languages, *self._facts.scripts})

    def read_page(self, picture: Picture, request: EngineRequest) -> list[TextLine]:
        return self._open(request.languages).read_page(picture, request)

    def read_lines(self, pictures: Sequence[Picture], request: EngineRequest) -> list[TextLine]:
        return self._open(request.languages).read_lines(pictures, request)

    def _is_installed(self) -> bool:
        return find_distributed_model(self.id) is not None and self._find_finder() is not None

    def _find_finder(self) -> TextEngine | None:
        return next((engine for engine in self._finders if engine.describe().installed), None)

    def _open(self, languages: Sequence[str]) -> LineModelEngine:
        self.check(languages)
        if self._opened is None:
            folder, finder = find_distributed_model(self.id), self._find_finder()
            assert folder is not None and finder is not None
            self._opened = LineModelEngine(self.id, folder, finder)
        return self._opened


KANNADA_FACTS = _Facts(
    engine=KANNADA_PRINT,
    display_name="Kannada print",
    distribution="haleganada-kannada",
    extra="kannada",
    mode=ReadMode.PRINTED,
    languages=("kn",),
    scripts=("script/Kannada",),
)
LATIN_HAND_FACTS = _Facts(
    engine=LATIN_HAND,
    display_name="Latin handwriting",
    distribution="haleganada-latin-hand",
    extra="latin-hand",
    mode=ReadMode.HANDWRITTEN,
    languages=("en", "fr"),
    scripts=("script/Latin",),
)
