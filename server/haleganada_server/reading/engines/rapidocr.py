"""PP-OCRv6 small by rapidocr: Latin, Chinese and Japanese, printed and handwritten.

Its classifier of angles stays off, because it turns good lines upside down and then drops them; the preparation has
turned the page. The models are in rapidocr's package and are opened by their paths, so nothing is ever downloaded.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.installation import describe_install
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import Polygon, TextLine
from haleganada_server.reading.layout.lines import as_polygon

from .line_parts import Character, Ink, make_line
from .port import EngineRequest, Picture
from .requirements import require_installed, require_languages

_PACKAGE = "rapidocr"
_MODELS = ("PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx")
# Those whose letters the recognizer knows.
_LANGUAGES = (
    "en", "fr", "de", "es", "it", "pt", "nl", "la", "zh", "ja", "af", "bs", "ca", "cs", "cy", "da", "et", "eu", "fi",
    "ga", "gl", "hr", "hu", "id", "is", "lb", "lt", "lv", "mi", "ms", "mt", "no", "oc", "pl", "qu", "ro", "sk", "sl",
    "sq", "sv", "sw", "tr",
)  # fmt: skip
_STRETCH = 1.25  # of handwriting, in width: reads up to 4 points better, more reads worse again
_HEIGHT = 48  # px of a line as the recognizer sees it
_LONGEST = 3_200  # px; longer ones, of which no text has any, are squeezed
_SIDES = (1_000, 2_000)  # px of the longer side of a page as the finder sees it; the second if letters are too small
_SHORTER_SIDE = 640  # px at least, where that allows it
_SMALL = 9.0  # px of the height of most lines


class RapidOcr:
    """The engine, see TextEngine."""

    id = "rapidocr"

    def __init__(self) -> None:
        self._loaded: Any = None

    def describe(self) -> EngineInfo:
        installed = _find_models() is not None
        return EngineInfo(
            engine=self.id,
            display_name="PP-OCRv6 small (RapidOCR)",
            version=importlib.metadata.version(_PACKAGE) if installed else "",
            modes=(ReadMode.PRINTED, ReadMode.HANDWRITTEN),
            languages=_LANGUAGES if installed else (),
            installed=installed,
            install_hint=describe_install("read"),
        )

    def check(self, languages: Sequence[str]) -> None:
        require_installed(self.id, _find_models() is not None, "read")
        require_languages(self.id, languages, _KNOWN)

    def read_page(self, picture: Picture, request: EngineRequest) -> list[TextLine]:
        model = self._load(request.languages)
        outlines = _find_lines(model, picture)
        if request.segment_only:
            return [TextLine(text="", polygon=outline) for outline in outlines]
        from haleganada_server.reading.layout.line_cuts import cut_lines

        cuts = cut_lines(picture, outlines)
        lines = _read(model, [cut.picture for cut in cuts], request.mode)
        return [cut.place(line) for cut, line in zip(cuts, lines, strict=True) if line.text]

    def read_lines(self, pictures: Sequence[Picture], request: EngineRequest) -> list[TextLine]:
        model = self._load(request.languages)
        if request.segment_only:
            return [TextLine(text="", polygon=_outline_of(picture)) for picture in pictures]
        return _read(model, pictures, request.mode)

    def _load(self, languages: Sequence[str]) -> Any:
        self.check(languages)
        if self._loaded is None:
            self._loaded = _open(*(_find_models() or ()))
        return self._loaded


_KNOWN = frozenset((*_LANGUAGES, "chi_sim", "chi_tra"))


def _find_models() -> tuple[Path, Path] | None:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None or importlib.util.find_spec("cv2") is None:
        return None
    finder, reader = (Path(spec.origin).parent / "models" / name for name in _MODELS)
    return (finder, reader) if finder.exists() and reader.exists() else None


def _open(finder: Path, reader: Path) -> Any:
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.return_word_box": True,
            "Global.use_cls": False,
            # One core for each process: several read at once, and people who draw need the cores, too.
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Global.min_side_len": 1,  # pictures of odd shapes are not enlarged without limit
            "Global.use_vertical_padding": False,
            "Det.limit_type": "max",
            "Det.limit_side_len": _SIDES[-1],
            "Det.model_path": str(finder),
            "Rec.model_path": str(reader),
            "Rec.rec_batch_num": 1,  # on one core, lines of several lengths together only cost what fills them up
        }
    )


def _find_lines(model: Any, picture: Picture) -> list[Polygon]:
    """Return the outlines of the lines: four corners each, clockwise from where the text begins.

    Lines are found best in a small picture, in a fifth of the time, unless its letters are too small there.
    """
    for side in _SIDES:
        boxes, factor = _find_boxes(model, picture, side)
        heights = [np.hypot(*(box[3] - box[0])) * factor for box in boxes]
        if factor == 1 or (heights and np.median(heights) >= _SMALL):
            break
    return [tuple((float(x), float(y)) for x, y in box) for box in boxes]


def _find_boxes(model: Any, picture: Picture, side: int) -> tuple[list[NDArray[np.float64]], float]:
    """Return the (4, 2) corners of lines, and the factor by which the picture was scaled for that. side: px."""
    import cv2

    height, width = picture.shape[:2]
    factor = min(side / max(height, width), max(1.0, _SHORTER_SIDE / min(height, width)))
    size = max(32, round(width * factor)), max(32, round(height * factor))
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    found = model(np.ascontiguousarray(scaled[:, :, ::-1]), use_det=True, use_cls=False, use_rec=False)
    boxes = getattr(found, "boxes", None)
    scale = np.asarray([width / size[0], height / size[1]])
    return [np.asarray(box, np.float64) * scale for box in (() if boxes is None else boxes)], factor


def _outline_of(picture: Picture) -> Polygon:
    height, width = picture.shape[:2]
    return as_polygon((0.0, 0.0, float(width), float(height)))


def _ink_of(picture: Picture) -> Ink:
    """Return how much ink each column of px of a line has."""
    from haleganada_server.reading.layout.segmentation import find_ink

    return np.asarray(find_ink(picture).sum(axis=0), np.int64)


def _read(model: Any, pictures: Sequence[Picture], mode: ReadMode) -> list[TextLine]:
    if not pictures:
        return []
    stretch = _STRETCH if mode is ReadMode.HANDWRITTEN else 1.0
    answers = model.recognize_txt([_shape(picture, stretch) for picture in pictures])
    return [
        make_line(_characters(text, parts), float(score), _outline_of(picture), _ink_of(picture), RapidOcr.id)
        for text, score, parts, picture in zip(
            answers.txts, answers.scores, answers.word_results, pictures, strict=True
        )
    ]


def _shape(picture: Picture, stretch: float) -> Picture:
    """Return a line in the height of the recognizer and in BGR, its width stretched."""
    import cv2

    height, width = picture.shape[:2]
    size = min(max(8, round(width * _HEIGHT / height * stretch)), _LONGEST), _HEIGHT
    method = cv2.INTER_AREA if height > _HEIGHT else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(picture, size, interpolation=method)[:, :, ::-1])


def _characters(text: str, parts: Any) -> list[Character]:
    """Return the characters of a line with their places. parts: rapidocr's WordInfo, which leaves out the spaces."""
    columns = iter([column for word in parts.word_cols or () for column in word])
    length = max(parts.line_txt_len or 0.0, 1.0)
    found = []
    for character, confidence in zip(text, parts.confs or (), strict=False):
        center = None if character.isspace() else min((next(columns) + 0.5) / length, 1.0)
        found.append(Character(unicodedata.normalize("NFC", character), center, confidence))
    return found
