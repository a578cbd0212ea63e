"""How the symbols of a language follow each other: runs of up to six, learned from texts.

Estimates are mixed with those of shorter contexts as Witten and Bell do ("The zero-frequency problem", IEEE
Transactions on Information Theory 37, 1991): a context says as much less as it was followed by more kinds of symbols.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .run_tree import Run, RunTree
from .run_tree_file import pack_tree, unpack_tree

ORDER = 6
"""Symbols of a run, of which the last one is foretold by the others."""

_START = 0  # stands before the first symbol of a line; the number of no symbol
_LEAST = {1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2}  # times that a run of so many symbols has to occur to be kept


class SymbolOrder:
    """Immutable. Symbols are given by their numbers in an alphabet."""

    def __init__(self, symbols: int, tree: RunTree) -> None:
        """symbols: of the alphabet. tree: of runs that were counted."""
        self._symbols, self._tree = symbols, tree
        # Reading an element of a memoryview is several times as fast as of an array.
        self._numbers, self._counts, self._first = tree.symbols.data, tree.counts.data, tree.first.data
        self._known: dict[Run, float] = {}
        self._contexts: dict[Run, tuple[int, int, int]] = {}

    @staticmethod
    def learn(texts: Iterable[Sequence[int]], symbols: int) -> SymbolOrder:
        """Learn from texts as sequences of numbers; rare long runs are left out."""
        return _keep(_count_runs(texts), symbols)

    def learn_more(self, texts: Iterable[Sequence[int]], symbols: int, times: int = 1) -> SymbolOrder:
        """Return an order that knows these texts, too. symbols: of the alphabet, to which some may have been added.
        times: that each text counts.
        """
        runs = Counter(dict(self._tree.list_runs()))
        for run, count in _count_runs(texts).items():
            runs[run] += count * times
        return _keep(runs, symbols)

    def log_probability(self, before: Sequence[int], symbol: int) -> float:
        """Return the log of the probability of a symbol behind others, at the beginning of a line if there are few."""
        recent = before[-(ORDER - 1) :]
        context = (*[_START] * (ORDER - 1 - len(recent)), *recent)
        run = (*context, symbol)
        if run not in self._known:
            self._known[run] = math.log(self._estimate(context, symbol))
        return self._known[run]

    def _estimate(self, context: Run, symbol: int) -> float:
        estimate = 1 / (self._symbols + 1)
        for length in range(len(context) + 1):
            node, kinds, total = self._look_up(context[len(context) - length :])
            if kinds:
                estimate = (self._count(node, symbol) + kinds * estimate) / (total + kinds)
        return estimate

    def _look_up(self, context: Run) -> tuple[int, int, int]:
        """Return the node of a context, how many kinds of symbols follow it, and how often any does."""
        if context not in self._contexts:
            node = 0
            for symbol in context:
                if (node := self._find(node, symbol)) < 0:
                    break
            self._contexts[context] = (node, *self._tree.sum_up(node)) if node >= 0 else (node, 0, 0)
        return self._contexts[context]

    def _count(self, node: int, symbol: int) -> int:
        return self._counts[child] if (child := self._find(node, symbol)) >= 0 else 0

    def _find(self, node: int, symbol: int) -> int:
        """Return the child of a node, -1 if it has none for this symbol."""
        end = self._first[node + 1]
        place = bisect_left(self._numbers, symbol, self._first[node], end)
        return place if place < end and self._numbers[place] == symbol else -1

    def to_bytes(self, **about: float) -> bytes:
        """Return the order as a file. about: what else to store in it."""
        return pack_tree(self._tree, {"symbols": self._symbols, **about})

    @staticmethod
    def from_bytes(data: bytes) -> tuple[SymbolOrder, dict[str, Any]]:
        """Return what to_bytes was given, by this or an earlier version. Raises ValueError for anything else."""
        tree, about = unpack_tree(data, ORDER)
        try:
            return SymbolOrder(int(about.pop("symbols")), tree), about
        except (KeyError, TypeError) as error:
            raise ValueError(f"it lacks {error}") from error


def _count_runs(texts: Iterable[Sequence[int]]) -> Counter[Run]:
    runs: Counter[Run] = Counter()
    for text in texts:
        line = (*[_START] * (ORDER - 1), *text)
        for end in range(ORDER, len(line) + 1):
            runs.update(line[end - length : end] for length in range(1, ORDER + 1))
    return runs


def _keep(runs: Mapping[Run, int], symbols: int) -> SymbolOrder:
    """Return the order of runs, without rare long ones."""
    return SymbolOrder(symbols, RunTree.of_runs({run: n for run, n in runs.items() if n >= _LEAST[len(run)]}))
