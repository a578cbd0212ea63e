"""Runs of symbols and how often each occurs, as arrays: a tree, in which runs that begin alike share their beginning.

The tree is stored level by level. Node 0 is the empty run; the children of a node stand together, in the order of their
symbols. Half a million runs take some megabytes, and no time to load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Run = tuple[int, ...]

Numbers = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class RunTree:
    """symbols: the last one of each node's run. counts: how often the run occurs; 0 if only longer ones do. first: of
    each node the first child, which ends where the next node's begin; one more than there are nodes.
    """

    symbols: Numbers
    counts: Numbers
    first: Numbers

    @staticmethod
    def of_runs(runs: Mapping[Run, int]) -> RunTree:
        """Return the tree of runs, none of them empty."""
        known = {(): 0, **runs}
        for run in runs:
            while (run := run[:-1]) not in known:
                known[run] = 0
        ordered = sorted(known, key=lambda run: (len(run), run))
        places = {run: place for place, run in enumerate(ordered)}
        parents = np.array([places[run[:-1]] for run in ordered[1:]], np.int64)
        children = np.bincount(parents + 1, minlength=len(ordered) + 1)
        return RunTree(
            np.array([0, *(run[-1] for run in ordered[1:])], np.uint32),
            np.array([known[run] for run in ordered], np.uint32),
            np.asarray(1 + np.cumsum(children), np.uint32),
        )

    def require_sound(self, deepest: int) -> None:
        """Raise ValueError unless this is a tree of runs of at most so many symbols."""
        nodes = len(self.symbols)
        first = self.first.astype(np.int64)
        if not nodes or len(self.counts) != nodes or len(first) != nodes + 1 or first[0] != 1 or first[-1] != nodes:
            raise ValueError("its arrays do not fit together")
        if (np.diff(first) < 0).any() or (first[:-1] <= np.arange(nodes)).any():
            raise ValueError("its nodes are not in order")
        level = 1
        for _ in range(deepest):
            level = int(first[level])  # where the next level begins
        if level != nodes:
            raise ValueError(f"it has runs of more than {deepest} symbols")

    def sum_up(self, node: int) -> tuple[int, int]:
        """Return how many kinds of symbols follow a node's run, and how often any does."""
        own = self.counts[self.first[node] : self.first[node + 1]]
        return int(np.count_nonzero(own)), int(own.sum())

    def list_runs(self) -> Iterator[tuple[Run, int]]:
        """Yield all runs that were counted."""
        runs: list[Run] = [()]
        for parent in range(len(self.symbols)):
            for child in range(int(self.first[parent]), int(self.first[parent + 1])):
                runs.append((*runs[parent], int(self.symbols[child])))
                if self.counts[child]:
                    yield runs[child], int(self.counts[child])
