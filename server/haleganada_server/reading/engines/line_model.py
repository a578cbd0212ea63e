"""A model that was trained on lines, run by onnxruntime. Lines of pages are found by another engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.core.lines.alphabet import Alphabet, SymbolKind, list_clusters
from haleganada_server.core.lines.decoding import DecodedSymbol, decode_greedily
from haleganada_server.core.models.card import LineInput
from haleganada_server.core.models.files import ONNX, damaged_model, read_card, require_intact
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import TextLine
from haleganada_server.reading.layout.lines import as_polygon
from haleganada_server.vision.line_pictures import make_line_input

from .line_parts import Character, make_line
from .port import EngineRequest, Picture, TextEngine

_STEP = 16  # px, of which widths are multiples, as in training


class LineModelEngine:
    """The engine of one model, see TextEngine."""

    def __init__(self, engine: str, folder: Path, finder: TextEngine) -> None:
        """folder: of the model. finder: finds the lines of a page. Raises DataLoss or Precondition for a model whose
        card is damaged, or that reads no lines.
        """
        self.id = engine
        self._folder, self._finder = folder, finder
        self._card = read_card(folder)
        if self._card.line is None:
            raise damaged_model(self._card.name, "it reads no lines")
        self._shape: LineInput = self._card.line
        self._alphabet = Alphabet(self._card.labels, SymbolKind(self._shape.symbols))
        self._session: Any = None

    def describe(self) -> EngineInfo:
        return EngineInfo(
            engine=self.id,
            display_name=self._card.name,
            version=self._card.preset,
            modes=(ReadMode.PRINTED, ReadMode.HANDWRITTEN),
            languages=(),
            installed=True,
            install_hint="",
        )

    def check(self, languages: Sequence[str]) -> None:
        """A model reads what it was trained on, whatever that is called."""

    def read_page(self, picture: Picture, request: EngineRequest) -> list[TextLine]:
        found = self._finder.read_page(picture, EngineRequest(mode=request.mode, segment_only=True))
        if request.segment_only:
            return found
        from haleganada_server.reading.layout.line_cuts import cut_lines

        cuts = cut_lines(picture, [line.polygon for line in found])
        lines = self.read_lines([cut.picture for cut in cuts], request)
        return [cut.place(line) for cut, line in zip(cuts, lines, strict=True) if line.text]

    def read_lines(self, pictures: Sequence[Picture], request: EngineRequest) -> list[TextLine]:
        if request.segment_only:
            return self._finder.read_lines(pictures, request)
        return [self._read(picture) for picture in pictures]

    def _read(self, picture: Picture) -> TextLine:
        from haleganada_server.reading.layout.segmentation import find_ink

        height, width = picture.shape[:2]
        gray = np.asarray(Image.fromarray(picture).convert("L"))
        line = make_line_input(gray, self._shape)
        filled = np.pad(line, ((0, 0), (0, -line.shape[1] % _STEP)), constant_values=1.0)
        probabilities = self._run(filled)
        symbols = decode_greedily(probabilities)
        # Steps are shares of the filled width; a line of a given width may be narrower than that.
        shown = round(width * self._shape.height / height * self._shape.stretch)
        scale = filled.shape[1] / max(1, min(shown, line.shape[1]))
        corners = as_polygon((0.0, 0.0, float(width), float(height)))
        ink = np.asarray(find_ink(picture).sum(axis=0), np.int64)
        confidence = float(np.mean([symbol.confidence for symbol in symbols])) if symbols else 0.0
        return make_line(self._characters(symbols, scale), confidence, corners, ink, self.id)

    def _characters(self, symbols: Sequence[DecodedSymbol], scale: float) -> list[Character]:
        """Return what readers take for characters: of Kannada, whole clusters. scale: of the centers."""
        names = [self._alphabet.symbols[symbol.number - 1] for symbol in symbols]
        found = []
        for text, start, end in list_clusters(names, self._alphabet.kind):
            own = symbols[start:end]
            center = None if text.isspace() else min(1.0, scale * float(np.mean([one.center for one in own])))
            found.append(Character(text, center, min(one.confidence for one in own)))
        return found

    def _run(self, line: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._session is None:
            self._session = self._open()
        (probabilities,) = self._session.run(["probabilities"], {"line": line[None, None]})
        if probabilities.ndim != 3 or probabilities.shape[2] != len(self._alphabet.symbols) + 1:
            raise damaged_model(self._card.name, f"the outputs of {ONNX} are not those of its symbols")
        return np.asarray(probabilities[0], np.float32)

    def _open(self) -> Any:
        import onnxruntime

        require_intact(self._folder, self._card, [ONNX])
        options = onnxruntime.SessionOptions()
        # One core for each process: several read at once, and people who draw need the cores, too.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(str(self._folder / ONNX), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises many types, all defined in C++
            raise damaged_model(self._card.name, f"onnxruntime cannot load {ONNX}") from error
