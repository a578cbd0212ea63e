"""Ways to read a page: each engine as it comes, and ours with and without a named engine."""

from __future__ import annotations

import functools
import io
import os
import subprocess
from typing import Any

import numpy as np
from haleganada_server.core.models.distributed import KANNADA_PRINT
from haleganada_server.core.reading.options import ReadMode, ReadOptions
from haleganada_server.core.reading.page import PageReading, TextLine
from haleganada_server.reading.engines import find_engine
from haleganada_server.reading.engines.port import EngineRequest
from haleganada_server.reading.page_reader import read_page
from PIL import Image

from tests.bench.reading.sets import Picture, Set


def language_for(engine: str, which: Set) -> str:
    """Return the language by which an engine can read a set here; "" = by none."""
    known = find_engine(engine).describe().languages
    return next((language for language in which.languages if language in known), "")


def read_as_it_comes(engine: str, picture: Picture, which: Set) -> str:
    """Read a page by the engine's own pipeline with its own defaults; by our own model without our layout."""
    if engine == KANNADA_PRINT:
        request = EngineRequest(mode=ReadMode.PRINTED, languages=(language_for(engine, which),))
        return "\n".join(line.text for line in find_engine(engine).read_page(picture, request))
    return _rapidocr_alone(picture) if engine == "rapidocr" else _tesseract_alone(picture, which)


def read_ours(picture: Picture, engine: str = "", which: Set | None = None) -> PageReading:
    """Read a page as the server does. engine: "" = AUTO, which is told nothing."""
    if not engine or which is None:
        return read_page(_OnePage(picture), 1, ReadOptions())
    hand = which.hand and ReadMode.HANDWRITTEN in find_engine(engine).describe().modes
    mode = ReadMode.HANDWRITTEN if hand else ReadMode.PRINTED
    languages = (language_for(engine, which),)
    return read_page(_OnePage(picture), 1, ReadOptions(mode=mode, engine=engine, languages=languages))


class _OnePage:
    """A document of one page."""

    pages_total = 1

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def draw(self, page: int) -> Picture:  # noqa: ARG002
        return self._picture

    def text_lines(self, page: int) -> list[TextLine]:  # noqa: ARG002
        return []

    def close(self) -> None:
        pass


@functools.cache
def _rapidocr() -> Any:
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": 1})


def _rapidocr_alone(picture: Picture) -> str:
    answer = _rapidocr()(np.ascontiguousarray(picture[:, :, ::-1]))
    return "\n".join(getattr(answer, "txts", None) or ())


def _tesseract_alone(picture: Picture, which: Set) -> str:
    from haleganada_server.reading.engines.languages import tesseract_name

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    command = ["tesseract", "stdin", "stdout", "-l", tesseract_name(language_for("tesseract", which))]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    done = subprocess.run(command, input=buffer.getvalue(), capture_output=True, check=True, env=environment)
    return done.stdout.decode()
