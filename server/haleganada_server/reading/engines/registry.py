"""The engines that this server knows."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import NotFound, Precondition
from haleganada_server.core.installation import describe_install
from haleganada_server.core.model_names import LINE_ENGINE
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.taught.assembly import TAUGHT

from .distributed import KANNADA_FACTS, LATIN_HAND_FACTS, DistributedEngine
from .languages import join
from .line_model import LineModelEngine
from .port import TextEngine
from .rapidocr import RapidOcr
from .tesseract import Tesseract

_RAPIDOCR, MOST_LANGUAGES = RapidOcr(), Tesseract()
"""The second is the engine for which there are more languages to install."""

ENGINES: tuple[TextEngine, ...] = (
    _RAPIDOCR,
    *(DistributedEngine(facts, (_RAPIDOCR, MOST_LANGUAGES)) for facts in (KANNADA_FACTS, LATIN_HAND_FACTS)),
    MOST_LANGUAGES,
)
"""All of them, those first that ReadMode.AUTO prefers."""


def list_engines() -> tuple[EngineInfo, ...]:
    """Return all engines, those first that ReadMode.AUTO prefers. The last one is no TextEngine: it takes pages apart,
    and the server reads them by what a workspace was taught.
    """
    taught = EngineInfo(
        engine=TAUGHT,
        display_name="What you taught",
        version="",
        modes=(ReadMode.TAUGHT,),
        languages=(),
        installed=_is_installed("cv2"),
        install_hint=describe_install("read"),
    )
    return *(engine.describe() for engine in ENGINES), taught


def find_engine(engine: str, model_folder: str = "") -> TextEngine:
    """Return the engine with this id. model_folder: of the model that an engine of LINE_ENGINE reads with. Raises
    NotFound, and Precondition if nothing here finds lines for a model.
    """
    if engine.startswith(LINE_ENGINE) and model_folder:
        return _open_line_model(engine, Path(model_folder))
    for candidate in ENGINES:
        if candidate.id == engine:
            return candidate
    known = join((candidate.id for candidate in ENGINES), "or")
    raise NotFound("engine", engine, f"name {known}, or leave the engine out")


@lru_cache(maxsize=2)
def _open_line_model(engine: str, folder: Path) -> TextEngine:
    """Return the engine of a model, whose file is loaded once: a model never changes."""
    finder = next((other for other in ENGINES if other.describe().installed), None)
    if finder is None:
        raise Precondition(
            f"nothing on this server finds the lines of a page; run {describe_install('read')} where the server runs",
            Reason.ENGINE_NOT_INSTALLED,
        )
    return LineModelEngine(engine, folder, finder)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:  # a test has forbidden its import
        return False
