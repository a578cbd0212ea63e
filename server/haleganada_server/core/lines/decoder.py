"""The way from a recognizer's probabilities to symbols: the most probable path, or a search that knows the language."""

from __future__ import annotations

from dataclasses import dataclass

from .decoding import DecodedSymbol, Hypothesis, Probabilities, align, decode_greedily, search_beam
from .ngram import SymbolOrder

WIDTH = 8
"""Beginnings of texts that a search keeps."""


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

    def list_hypotheses(self, probabilities: Probabilities) -> list[Hypothesis]:
        """Return several ways to read a line, the best first."""
        prior = self.order.log_probability if self.order else None
        return search_beam(probabilities, WIDTH, prior, self.weight, self.bonus)

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
