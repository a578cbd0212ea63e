"""The way from a recognizer's probabilities to symbols: the most probable path, or a search that knows the language."""

from __future__ import annotations

from dataclasses import dataclass

from .decoding import DecodedSymbol, Hypothesis, Prior, Probabilities, align, decode_greedily, search_beam
from .lexicon import Lexicon
from .ngram import SymbolOrder

WIDTH = 8
"""Beginnings of texts that a search keeps; more if several ways to read a line are asked for."""


@dataclass(frozen=True)
class LineDecoder:
    """order: how symbols follow each other, None = not known. weight, bonus: see search_beam."""

    order: SymbolOrder | None = None
    weight: float = 0.0
    bonus: float = 0.0

    def decode(self, probabilities: Probabilities) -> list[DecodedSymbol]:
        """Return the symbols of a line, from left to right."""
        if self.order is None:
            return decode_greedily(probabilities)
        return align(probabilities, self.list_hypotheses(probabilities)[0].numbers)

    def list_hypotheses(
        self, probabilities: Probabilities, count: int = 1, lexicon: Lexicon | None = None
    ) -> list[Hypothesis]:  # fmt: skip
        """Return several ways to read a line, the best first. count: of them that are wanted. lexicon: whose words are
        preferred.
        """
        width = max(WIDTH, 2 * count)
        if lexicon is None:
            prior = self.order.log_probability if self.order else None
            return search_beam(probabilities, width, prior, self.weight, self.bonus)
        found = search_beam(probabilities, 2 * width, self._join(lexicon), 1.0, self.bonus)
        ended = [Hypothesis(one.numbers, one.score + lexicon.score_end(one.numbers)) for one in found]
        return sorted(ended, key=lambda one: -one.score)

    def _join(self, lexicon: Lexicon) -> Prior:
        """Return what order and lexicon say together."""
        order, weight = self.order, self.weight
        if order is None:
            return lexicon.score
        return lambda before, symbol: weight * order.log_probability(before, symbol) + lexicon.score(before, symbol)

    def to_bytes(self) -> bytes:
        """Return the decoder as a file. Raises ValueError for one without an order."""
        if self.order is None:
            raise ValueError("it has no order of symbols")
        return self.order.to_bytes(weight=self.weight, bonus=self.bonus)

    @staticmethod
    def from_bytes(data: bytes) -> LineDecoder:
        """Return what to_bytes was called on. Raises ValueError for anything else."""
        order, about = SymbolOrder.from_bytes(data)
        try:
            return LineDecoder(order, float(about["weight"]), float(about["bonus"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"it lacks {error}") from error
