"""Whether a model reads better if it knows how symbols follow each other, as lines of the validation part tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.lines.decoder import LineDecoder
from haleganada_server.core.lines.decoding import Probabilities
from haleganada_server.core.lines.error_rates import ReadLine, measure_characters
from haleganada_server.core.lines.ngram import SymbolOrder

from .data import LineData
from .loop import LineReader

_MOST_LEARNED, _MOST_TRIED = 50_000, 120
_LEAST_TRIED = 10
_TRIED = ((0.15, 0.0), (0.15, 0.5), (0.3, 0.5), (0.3, 1.0), (0.45, 1.0), (0.45, 1.5), (0.6, 1.5), (0.6, 2.0))
"""Weights, and what each symbol is worth, so that texts do not become too short."""

_TIMES = 5
"""That a new text counts, beside those that the model to start from has learned: people repeat themselves."""


def choose_decoder(reader: LineReader, data: LineData, known: LineDecoder) -> LineDecoder:
    """Return the decoder with the fewest errors on the validation part: the greedy one unless another one is better.
    The order of symbols is learned from the training part, beside what a model to start from knows of it.

    known: the decoder of that model, which stays if the validation part is too small to choose.
    """
    order = _learn_order(reader, data, known)
    lines = data.part(Part.VALIDATION)[:_MOST_TRIED].tolist()
    if len(lines) < _LEAST_TRIED:
        return replace(known, order=order) if known.order else LineDecoder()
    probabilities = [reader.compute(data.picture(line)) for line in lines]
    texts = [data.texts[line] for line in lines]
    best, fewest = LineDecoder(), _count_errors(reader, LineDecoder(), probabilities, texts)
    for weight, bonus in _TRIED:
        decoder = LineDecoder(order, weight, bonus)
        errors = _count_errors(reader, decoder, probabilities, texts)
        if errors < fewest:
            best, fewest = decoder, errors
    return best


def _learn_order(reader: LineReader, data: LineData, known: LineDecoder) -> SymbolOrder:
    alphabet = reader.alphabet
    texts = [data.texts[line] for line in data.part(Part.TRAIN)[:_MOST_LEARNED].tolist()]
    numbers = [alphabet.encode(text) for text in texts if alphabet.covers(text)]
    if known.order is None:
        return SymbolOrder.learn(numbers, len(alphabet.symbols))
    return known.order.learn_more(numbers, len(alphabet.symbols), _TIMES)


def _count_errors(
    reader: LineReader, decoder: LineDecoder, probabilities: Sequence[Probabilities], texts: Sequence[str]
) -> int:  # fmt: skip
    read = [reader.alphabet.decode(one.number for one in decoder.decode(own)) for own in probabilities]
    return measure_characters([ReadLine(text, own) for text, own in zip(texts, read, strict=True)]).edits
