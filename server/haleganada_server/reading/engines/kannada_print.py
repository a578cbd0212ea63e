"""Our own model of Kannada print, if its distribution is installed. Lines of pages are found by another engine."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.installation import describe_install
from haleganada_server.core.models.distributed import KANNADA_PRINT, find_distributed_model
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import TextLine

from .languages import iso_code, join, tesseract_name
from .line_model import LineModelEngine
from .port import EngineRequest, Picture, TextEngine

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
        if not self._is_installed():
            raise Precondition(
                f"the engine {self.id} is not installed; run {describe_install('kannada')} where the server runs",
                Reason.ENGINE_NOT_INSTALLED,
            )
        unknown = [language for language in languages if iso_code(tesseract_name(language)) not in _KNOWN]
        if unknown:
            raise Precondition(
                f"the engine {self.id} cannot read {join(unknown)}; leave the engine out, or name another",
                Reason.LANGUAGE_NOT_INSTALLED,
            )

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
