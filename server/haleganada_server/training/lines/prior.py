"""Whether a model reads better if it knows how symbols follow each other, as lines of the validation part tell."""

from __future__ import annotations

from collections.abc import Sequence

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.lines.decoder import LineDecoder
from haleganada_server.core.lines.decoding import Probabilities
from haleganada_server.core.lines.error_rates import ReadLine, measure_characters
from haleganada_server.core.lines.ngram import SymbolOrder

from .data import LineData
from .loop import LineReader

_MOST_LEARNED, _MOST_TRIED = 50_000, 120
_LEAST_TRIED = 10
_TRIED = tuple((weight, bonus) for weight in (0.15, 0.3, 0.5) for bonus in (0.0, 0.5, 1.0))
"""Weights, and what each symbol is worth, so that texts do not become too short."""


def choose_decoder(reader: LineReader, data: LineData) -> LineDecoder:
    """Return the decoder with the fewest errors on the validation part: the greedy one unless another one is better.
    The order of symbols is learned from the training part.
    """
    lines = data.part(Part.VALIDATION)[:_MOST_TRIED].tolist()
    if len(lines) < _LEAST_TRIED:
        return LineDecoder()
    probabilities = [reader.compute(data.picture(line)) for line in lines]
    texts = [data.texts[line] for line in lines]
    learned = [data.texts[line] for line in data.part(Part.TRAIN)[:_MOST_LEARNED].tolist()]
    alphabet = reader.alphabet
    order = SymbolOrder.learn(
        (alphabet.encode(text) for text in learned if alphabet.covers(text)), len(alphabet.symbols)
    )
    best, fewest = LineDecoder(), _count_errors(reader, LineDecoder(), probabilities, texts)
    for weight, bonus in _TRIED:
        decoder = LineDecoder(order, weight, bonus)
        errors = _count_errors(reader, decoder, probabilities, texts)
        if errors < fewest:
            best, fewest = decoder, errors
    return best


def _count_errors(
    reader: LineReader, decoder: LineDecoder, probabilities: Sequence[Probabilities], texts: Sequence[str]
) -> int:  # fmt: skip
    read = [reader.alphabet.decode(one.number for one in decoder.decode(own)) for own in probabilities]
    return measure_characters([ReadLine(text, own) for text, own in zip(texts, read, strict=True)]).edits
