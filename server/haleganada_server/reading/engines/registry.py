"""The engines that this server knows."""

from __future__ import annotations

from importlib.util import find_spec

from haleganada_server.core.errors import NotFound
from haleganada_server.core.installation import describe_install
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.taught.assembly import TAUGHT

from .port import TextEngine
from .rapidocr import RapidOcr
from .tesseract import Tesseract

ENGINES: tuple[TextEngine, ...] = (RapidOcr(), Tesseract())
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


def find_engine(engine: str) -> TextEngine:
    """Return the engine with this id. Raises NotFound."""
    for candidate in ENGINES:
        if candidate.id == engine:
            return candidate
    known = " or ".join(candidate.id for candidate in ENGINES)
    raise NotFound("engine", engine, f"name {known}, or leave the engine out")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:  # a test has forbidden its import
        return False
