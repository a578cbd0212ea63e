"""Tesseract by its command: print in Kannada and in every other language whose model is installed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import TextLine
from haleganada_server.reading.layout.lines import as_polygon, forget_text, move_line

from .hocr import parse_hocr
from .languages import debian_package, iso_code, join, script_by_name, script_of_language, tesseract_name
from .port import EngineRequest, Picture
from .tesseract_command import Installation, find_installation, find_script, read_hocr

_COLUMN, _LINE = 4, 7  # --psm: a column of text of any sizes, and a single line
_FEW = 3  # models that read together in a time that is bearable
_MIN_CONTRAST = 24  # of 255, between ink and paper
_MARGIN = 10  # px of paper around a line, without which Tesseract misses its outer letters


class Tesseract:
    """The engine, see TextEngine."""

    id = "tesseract"

    def describe(self) -> EngineInfo:
        found = find_installation()
        return EngineInfo(
            engine=self.id,
            display_name="Tesseract",
            version=found.version if found else "",
            modes=(ReadMode.PRINTED,),
            languages=tuple(iso_code(model) for model in found.models) if found else (),
            installed=found is not None,
            install_hint="apt install tesseract-ocr tesseract-ocr-kan, and tesseract-ocr-… for other languages",
        )

    def check(self, languages: Sequence[str]) -> None:
        _models(languages, ())

    def read_page(self, picture: Picture, request: EngineRequest) -> list[TextLine]:
        (lines,) = parse_hocr(read_hocr([picture], _models(request.languages, [picture]), _COLUMN), self.id)
        return [forget_text(line) for line in lines] if request.segment_only else lines

    def read_lines(self, pictures: Sequence[Picture], request: EngineRequest) -> list[TextLine]:
        if not pictures:
            return []
        models = _models(request.languages, pictures)
        written = [_add_margin(picture) for picture in pictures if _has_ink(picture)]
        pages = iter(parse_hocr(read_hocr(written, models, _LINE), self.id) if written else ())
        lines = [_join(next(pages) if _has_ink(picture) else (), picture) for picture in pictures]
        return [forget_text(line) for line in lines] if request.segment_only else lines


def _models(languages: Sequence[str], pictures: Sequence[Picture]) -> list[str]:
    """Return the models to use. pictures: that will be read. Raises Precondition."""
    found = find_installation()
    if found is None:
        packages = " ".join(debian_package(name) for name in map(tesseract_name, languages or ("kn",)) if name)
        raise Precondition(
            f"Tesseract is not installed; run apt install tesseract-ocr {packages} where the server runs",
            Reason.ENGINE_NOT_INSTALLED,
        )
    if not languages:
        return _default_models(found, pictures)
    names = list(dict.fromkeys(tesseract_name(language) for language in languages))
    missing = [language for language in languages if tesseract_name(language) not in found.models]
    if missing:
        packages = " ".join(debian_package(name) for name in names if name and name not in found.models)
        raise Precondition(
            f"Tesseract has no {join(missing)} here; "
            + (f"run apt install {packages} where the server runs" if packages else "name languages by ISO 639 codes"),
            Reason.LANGUAGE_NOT_INSTALLED,
        )
    return names


def _default_models(found: Installation, pictures: Sequence[Picture]) -> list[str]:
    """Return the models to use where nobody said which: all if they are few, else those of the script. Kannada and
    English come first.
    """
    languages = [model for model in found.models if not model.startswith("script/")]
    languages.sort(key=lambda model: ("kan", "eng", model).index(model))  # the sort is stable
    if not languages:
        raise Precondition(
            "Tesseract has no language here; run apt install tesseract-ocr-kan tesseract-ocr-eng where the server runs",
            Reason.LANGUAGE_NOT_INSTALLED,
        )
    if len(languages) > _FEW and pictures and found.tells_scripts:
        script = script_by_name(find_script(_stack(pictures)))
        languages = [model for model in languages if script_of_language(model) == script] or languages
    return languages[:_FEW]


def _stack(pictures: Sequence[Picture]) -> Picture:
    """Return pictures below one another on white."""
    framed = [_add_margin(picture) for picture in pictures]
    page = np.full((sum(len(one) for one in framed), max(one.shape[1] for one in framed), 3), 255, np.uint8)
    y = 0
    for one in framed:
        page[y : y + len(one), : one.shape[1]] = one
        y += len(one)
    return page


def _has_ink(picture: Picture) -> bool:
    """Tell whether a picture of a line can have text. In empty ones Tesseract sees letters that are not there."""
    return int(np.ptp(picture)) >= _MIN_CONTRAST


def _add_margin(picture: Picture) -> Picture:
    """Return a line in a frame of the color of its paper."""
    paper = np.median(picture.reshape(-1, 3), axis=0).astype(np.uint8)
    height, width = picture.shape[:2]
    framed = np.empty((height + 2 * _MARGIN, width + 2 * _MARGIN, 3), np.uint8)
    framed[:] = paper
    framed[_MARGIN : _MARGIN + height, _MARGIN : _MARGIN + width] = picture
    return framed


def _join(parts: Sequence[TextLine], picture: Picture) -> TextLine:
    """Return what was found in the framed picture of one line as one line of the picture."""
    height, width = picture.shape[:2]
    words = tuple(word for part in parts for word in move_line(part, -_MARGIN, -_MARGIN).words)
    known = [part.confidence for part in parts if part.confidence is not None]
    return TextLine(
        text=" ".join(part.text for part in parts),
        polygon=as_polygon((0.0, 0.0, float(width), float(height))),
        confidence=float(np.mean(known)) if known else None,
        words=words,
        engine=Tesseract.id,
    )
