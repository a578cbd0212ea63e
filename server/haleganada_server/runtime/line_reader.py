"""A model that reads lines, run on one core of the CPU by onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from haleganada_server.core.lines.alphabet import Alphabet, SymbolKind
from haleganada_server.core.lines.decoder import LineDecoder
from haleganada_server.core.lines.decoding import DecodedSymbol, Hypothesis, Probabilities, align
from haleganada_server.core.lines.lexicon import Lexicon
from haleganada_server.core.machine_errors import raise_machine_error
from haleganada_server.core.models.card import LineInput, ModelCard
from haleganada_server.core.models.files import EARLIER_SYMBOL_ORDER, ONNX, SYMBOL_ORDER, damaged_model, require_intact

GrayLine = NDArray[np.uint8]
ToInput = Callable[[GrayLine, LineInput], NDArray[np.float32]]
"""A line of any size, dark on light -> (height, width) in 0..1, 1 = paper."""

_STEP = 16  # px, of which widths are multiples, as in training


class OnnxLineReader:
    """Reads lines. One thread at a time uses it."""

    def __init__(self, folder: Path, card: ModelCard, to_input: ToInput) -> None:
        """Raises DataLoss if a file does not match the card, or the model reads no lines."""
        if card.line is None:
            raise damaged_model(card.name, "it reads no lines")
        self._card, self._shape, self._to_input = card, card.line, to_input
        self.alphabet = Alphabet(card.labels, SymbolKind(card.line.symbols))
        require_intact(folder, card, [ONNX])
        self._session = _open_session(folder / ONNX, card)
        self._decoder = open_decoder(folder, card)

    def read(self, gray: GrayLine) -> list[DecodedSymbol]:
        """Return the symbols of a line, their centers as shares of its own width."""
        filled, scale = self._fill(gray)
        return _widen(self._decoder.decode(self._compute(filled)), scale)

    def read_in_several_ways(
        self, gray: GrayLine, count: int, lexicon: Lexicon | None = None
    ) -> tuple[list[DecodedSymbol], list[Hypothesis]]:  # fmt: skip
        """Return the symbols of a line as `read` does, and up to so many ways to read it, the best, which has these
        symbols, first. lexicon: whose words are preferred.
        """
        filled, scale = self._fill(gray)
        probabilities = self._compute(filled)
        found = self._decoder.list_hypotheses(probabilities, count, lexicon)
        return _widen(align(probabilities, found[0].numbers), scale), found[:count]

    def _fill(self, gray: GrayLine) -> tuple[NDArray[np.float32], float]:
        """Return a line as the network sees it, and how much wider than the line that is."""
        line = self._to_input(gray, self._shape)
        filled = np.pad(line, ((0, 0), (0, -line.shape[1] % _STEP)), constant_values=1.0)
        # The input may be wider than the line, whose end is where it would be at this height.
        height, width = gray.shape
        shown = max(1, min(round(width * self._shape.height / height * self._shape.stretch), line.shape[1]))
        return filled, filled.shape[1] / shown

    def name_symbols(self, symbols: Sequence[DecodedSymbol]) -> list[str]:
        """Return what the symbols are."""
        return [self.alphabet.symbols[symbol.number - 1] for symbol in symbols]

    def _compute(self, line: NDArray[np.float32]) -> Probabilities:
        (probabilities,) = self._session.run(["probabilities"], {"line": line[None, None]})
        if probabilities.ndim != 3 or probabilities.shape[2] != self._card.outputs:
            raise damaged_model(self._card.name, f"the outputs of {ONNX} are not those of its symbols")
        return np.asarray(probabilities[0], np.float32)


def _widen(symbols: Sequence[DecodedSymbol], scale: float) -> list[DecodedSymbol]:
    return [DecodedSymbol(one.number, min(1.0, one.center * scale), one.confidence) for one in symbols]


def open_decoder(folder: Path, card: ModelCard) -> LineDecoder:
    """Return the decoder of a model: the greedy one if the model does not know how symbols follow each other. Raises
    DataLoss if its file does not match the card.
    """
    order = [name for name in (SYMBOL_ORDER, EARLIER_SYMBOL_ORDER) if name in card.sha256][:1]
    require_intact(folder, card, order)
    if not order:
        return LineDecoder()
    try:
        return LineDecoder.from_bytes((folder / order[0]).read_bytes())
    except ValueError as error:
        raise damaged_model(card.name, f"{order[0]} cannot be used ({error})") from error


def _open_session(path: Path, card: ModelCard) -> Any:
    options = onnxruntime.SessionOptions()
    # One core for each process: several read at once, and people who draw need the cores, too.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many types, all defined in C++
        raise_machine_error(error)
        raise damaged_model(card.name, f"onnxruntime cannot load {ONNX}") from error
