"""A model that was trained on lines. Lines of pages are found by another engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from haleganada_server.core.lines.alphabet import SymbolKind, list_clusters
from haleganada_server.core.lines.decoding import DecodedSymbol, Hypothesis
from haleganada_server.core.lines.lexicon import Lexicon
from haleganada_server.core.lines.texts import clean_line
from haleganada_server.core.models.files import damaged_model, read_card
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import PLAIN, LineDecoding
from haleganada_server.core.reading.page import LineAlternative, Polygon, TextLine
from haleganada_server.reading.layout.lines import as_polygon
from haleganada_server.vision.line_pictures import make_line_input

from .line_parts import Character, make_line
from .port import EngineRequest, Picture, TextEngine

if TYPE_CHECKING:
    from haleganada_server.runtime.line_reader import OnnxLineReader

_MARGINS = 0.1, 0.3  # above and below lines of Kannada, as shares of their height, where there is room


class LineModelEngine:
    """The engine of one model, see TextEngine."""

    def __init__(self, engine: str, folder: Path, finder: TextEngine) -> None:
        """folder: of the model. finder: finds the lines of a page. Raises DataLoss for a model whose card is damaged,
        or that reads no lines.
        """
        self.id = engine
        self._folder, self._finder = folder, finder
        self._card = read_card(folder)
        if self._card.line is None:
            raise damaged_model(self._card.name, "it reads no lines")
        self._lexicon: Lexicon | None = None
        self._is_kannada = self._card.line.symbols == SymbolKind.UNITS.value

    def describe(self) -> EngineInfo:
        return EngineInfo.of_model(self.id, self._card)

    def check(self, languages: Sequence[str]) -> None:
        """A model reads what it was trained on, whatever that is called."""

    def read_page(self, picture: Picture, request: EngineRequest) -> list[TextLine]:
        from haleganada_server.reading.layout.line_cuts import cut_lines

        outlines = self._find_lines(picture, request)
        if request.segment_only:
            return [TextLine(text="", polygon=outline) for outline in outlines]
        cuts = cut_lines(picture, outlines)
        lines = self.read_lines([cut.picture for cut in cuts], request)
        return [cut.place(line) for cut, line in zip(cuts, lines, strict=True) if line.text]

    def _find_lines(self, picture: Picture, request: EngineRequest) -> list[Polygon]:
        from haleganada_server.reading.layout.line_cuts import join_fragments, widen_outlines
        from haleganada_server.reading.layout.order import order_lines

        found = self._finder.read_page(picture, EngineRequest(mode=request.mode, segment_only=True))
        if not self._is_kannada or "kn" in self._finder.describe().languages:
            return [line.polygon for line in found]
        # Others miss what stands below lines, or take it for lines.
        outlines = [line.polygon for block in order_lines(found) for line in block]
        return widen_outlines(join_fragments(outlines), *_MARGINS)

    def read_lines(self, pictures: Sequence[Picture], request: EngineRequest) -> list[TextLine]:
        if request.segment_only:
            return self._finder.read_lines(pictures, request)
        return [self._read(picture, request.decoding) for picture in pictures]

    @cached_property
    def _reader(self) -> OnnxLineReader:
        from haleganada_server.runtime.line_reader import OnnxLineReader

        return OnnxLineReader(self._folder, self._card, make_line_input)

    def _read(self, picture: Picture, decoding: LineDecoding) -> TextLine:
        from haleganada_server.reading.layout.segmentation import find_ink

        height, width = picture.shape[:2]
        gray = np.asarray(Image.fromarray(picture).convert("L"))
        if decoding == PLAIN:
            symbols, ways = self._reader.read(gray), list[Hypothesis]()
        else:
            symbols, ways = self._reader.read_in_several_ways(
                gray, max(1, decoding.alternatives), self._open_lexicon(decoding.lexicon)
            )
        corners = as_polygon((0.0, 0.0, float(width), float(height)))
        ink = np.asarray(find_ink(picture).sum(axis=0), np.int64)
        confidence = float(np.mean([symbol.confidence for symbol in symbols])) if symbols else 0.0
        line = make_line(self._list_characters(symbols), confidence, corners, ink, self.id)
        return replace(line, alternatives=self._list_alternatives(ways) if decoding.alternatives else ())

    def _open_lexicon(self, words: tuple[str, ...]) -> Lexicon | None:
        """Return the lexicon of these words; the last one is kept, because the lines of a document have one."""
        if words and (self._lexicon is None or self._lexicon.words != words):
            self._lexicon = Lexicon(self._reader.alphabet, words)
        return self._lexicon if words else None

    def _list_alternatives(self, ways: Sequence[Hypothesis]) -> tuple[LineAlternative, ...]:
        """Return ways to read a line as texts with their probabilities."""
        shares = np.exp([one.score - ways[0].score for one in ways])
        texts = [clean_line(self._reader.alphabet.decode(one.numbers)) for one in ways]
        return tuple(
            LineAlternative(text, float(share)) for text, share in zip(texts, shares / shares.sum(), strict=True)
        )

    def _list_characters(self, symbols: Sequence[DecodedSymbol]) -> list[Character]:
        """Return what readers take for characters: of Kannada, whole clusters."""
        found = []
        for text, start, end in list_clusters(self._reader.name_symbols(symbols), self._reader.alphabet.kind):
            own = symbols[start:end]
            center = None if text.isspace() else float(np.mean([one.center for one in own]))
            found.append(Character(text, center, min(one.confidence for one in own)))
        return found
