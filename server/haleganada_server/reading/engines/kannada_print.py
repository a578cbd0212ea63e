"""Our own model of Kannada print, if its distribution is installed. Lines of pages are found by another engine."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence

from haleganada_server.core.installation import describe_install
from haleganada_server.core.models.distributed import KANNADA_PRINT, find_distributed_model
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import TextLine

from .line_model import LineModelEngine
from .port import EngineRequest, Picture, TextEngine
from .requirements import require_installed, require_languages

_DISTRIBUTION = "haleganada-kannada"
_LANGUAGES = ("kn",)
_KNOWN = frozenset((*_LANGUAGES, "script/Kannada"))


class KannadaPrint:
    """The engine, see TextEngine."""

    id = KANNADA_PRINT

    def __init__(self, finders: Sequence[TextEngine]) -> None:
        """finders: of which the first one that is installed finds the lines of pages."""
        self._finders = tuple(finders)
        self._opened: LineModelEngine | None = None

    def describe(self) -> EngineInfo:
        installed = self._is_installed()
        return EngineInfo(
            engine=self.id,
            display_name="Kannada print",
            version=importlib.metadata.version(_DISTRIBUTION) if installed else "",
            modes=(ReadMode.PRINTED,),
            languages=_LANGUAGES if installed else (),
            installed=installed,
            install_hint=describe_install("kannada"),
        )

    def check(self, languages: Sequence[str]) -> None:
        require_installed(self.id, self._is_installed(), "kannada")
        require_languages(self.id, languages, _KNOWN)

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
