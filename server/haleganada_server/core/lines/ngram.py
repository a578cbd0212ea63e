"""How the symbols of a language follow each other: runs of up to five, learned from texts.

Estimates are mixed with those of shorter contexts as Witten and Bell do ("The zero-frequency problem", IEEE
Transactions on Information Theory 37, 1991): a context says as much less as it was followed by more kinds of symbols.
"""

from __future__ import annotations

import gzip
import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

ORDER = 5
"""Symbols of a run, of which the last one is foretold by the others."""

_START = 0  # stands before the first symbol of a line; the number of no symbol
_FORMAT = 1
_LEAST = {1: 1, 2: 1, 3: 1, 4: 2, 5: 2}  # times that a run of so many symbols has to occur to be kept
_MOST_BYTES = 64 * 2**20

Run = tuple[int, ...]


class SymbolOrder:
    """Immutable. Symbols are given by their numbers in an alphabet."""

    def __init__(self, symbols: int, counts: dict[Run, dict[int, int]]) -> None:
        """symbols: of the alphabet. counts: of what follows each context."""
        self._symbols, self._counts = symbols, counts
        self._totals = {context: sum(following.values()) for context, following in counts.items()}
        self._known: dict[Run, float] = {}

    @staticmethod
    def learn(texts: Iterable[Sequence[int]], symbols: int) -> SymbolOrder:
        """Learn from texts as sequences of numbers; rare long runs are left out."""
        runs: Counter[Run] = Counter()
        for text in texts:
            line = (*[_START] * (ORDER - 1), *text)
            for end in range(ORDER, len(line) + 1):
                runs.update(line[end - length : end] for length in range(1, ORDER + 1))
        counts: dict[Run, dict[int, int]] = {}
        for run, count in runs.items():
            if count >= _LEAST[len(run)]:
                counts.setdefault(run[:-1], {})[run[-1]] = count
        return SymbolOrder(symbols, counts)

    def log_probability(self, before: Sequence[int], symbol: int) -> float:
        """Return the log of the probability of a symbol behind others, at the beginning of a line if there are few."""
        context = (*[_START] * (ORDER - 1), *before)[-(ORDER - 1) :]
        run = (*context, symbol)
        if run not in self._known:
            self._known[run] = math.log(self._estimate(context, symbol))
        return self._known[run]

    def _estimate(self, context: Run, symbol: int) -> float:
        shorter = self._estimate(context[1:], symbol) if context else 1 / (self._symbols + 1)
        following = self._counts.get(context)
        if not following:
            return shorter
        kinds = len(following)
        return (following.get(symbol, 0) + kinds * shorter) / (self._totals[context] + kinds)

    def to_bytes(self, **about: float) -> bytes:
        """Return the model as compressed JSON. about: what else to store in it."""
        rows = [[*context, -1, *(number for item in sorted(following.items()) for number in item)]
                for context, following in sorted(self._counts.items())]  # fmt: skip
        entry = {"format": _FORMAT, "symbols": self._symbols, **about, "rows": rows}
        return gzip.compress(json.dumps(entry, separators=(",", ":")).encode(), mtime=0)

    @staticmethod
    def from_bytes(data: bytes) -> tuple[SymbolOrder, dict[str, Any]]:
        """Return what to_bytes was given. Raises ValueError for anything else."""
        try:
            with gzip.open(io.BytesIO(data)) as file:
                text = file.read(_MOST_BYTES + 1)
            if len(text) > _MOST_BYTES:
                raise ValueError("it is too large")
            entry = json.loads(text)
            if entry.pop("format") != _FORMAT:
                raise ValueError("it has another format")
            counts: dict[Run, dict[int, int]] = {}
            for row in entry.pop("rows"):
                end = row.index(-1)
                counts[tuple(row[:end])] = dict(zip(row[end + 1 :: 2], row[end + 2 :: 2], strict=True))
            return SymbolOrder(int(entry.pop("symbols")), counts), entry
        except (OSError, EOFError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(str(error)) from error
