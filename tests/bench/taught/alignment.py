"""Where the symbols of a transcript are on a page: on the best path that reads them in order.

A head that was taught otherwise says which groups are like which symbols; what is measured knows nothing of that head.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from haleganada_server.core.reading.taught.page import TaughtPage
from haleganada_server.core.reading.taught.scoring import DEFAULT_PRICES, score_groups
from numpy.typing import NDArray

from tests.bench.taught.corrector import Lessons
from tests.bench.taught.pages import Truth

_LEFT_OUT, _NO_SYMBOL = -60.0, -20.0  # nats: for a symbol without ink, and for ink without a symbol
_WIDTH = 20.0  # nats for the squared deviation of a log width from the expected one


def align(
    page: TaughtPage, symbols: Sequence[str], lessons: Lessons, line: int | None = None, widths: Sequence[float] = ()
) -> list[Truth]:
    """Return where the symbols of a transcript are most probably; those without a place are left out. line: the number
    of the line that has them, None = they are the whole page. widths: px in the lattice that each of them has about.
    """
    knowledge, lattice = lessons.know(), page.lattice
    projection = lessons.recognizer.head_parameters.projection
    log_likelihoods = knowledge.head.score_many(page.project(projection))
    ratios = log_likelihoods[:, :-1] - log_likelihoods[:, -1:]
    scores = score_groups(lattice, log_likelihoods, prices=DEFAULT_PRICES)
    columns = [knowledge.head.index.get(symbol, -1) for symbol in symbols]
    values = np.stack([ratios[:, column] if column >= 0 else np.full(len(ratios), -30.0) for column in columns], axis=1)
    if widths:
        own = np.log(np.maximum(lattice.group_boxes[:, 2] - lattice.group_boxes[:, 0], 1))
        values = values - _WIDTH * (own[:, None] - np.log(widths)) ** 2
    first, last = (0, len(lattice.part_boxes)) if line is None else lattice.line_starts[line : line + 2].tolist()
    numbers = np.flatnonzero((lattice.groups[:, 0] >= first) & (lattice.groups[:, 1] <= last))
    chosen = _find_best(lattice.groups[numbers] - first, values[numbers], scores.boundaries[first:last])
    boxes = {symbol: tuple(lattice.group_boxes[numbers[group]].tolist()) for group, symbol in chosen}
    return [Truth(symbols[number], page_box(page, boxes[number]), line or 0) for number in sorted(boxes)]


def page_box(page: TaughtPage, box: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the box around a box of the lattice, in px of the page."""
    a, b, c, d, e, f = page.frame.to_page
    left, top, right, bottom = box
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    x, y = corners @ (a, b) + c, corners @ (d, e) + f
    return round(x.min()), round(y.min()), round(x.max()), round(y.max())


def _find_best(
    groups: NDArray[np.int32], values: NDArray[np.float64], boundaries: NDArray[np.float64]
) -> list[tuple[int, int]]:
    """Return which group is which symbol, on the best path. values: (groups, symbols). boundaries: (parts,) what it
    costs to part them.
    """
    parts, count = int(groups[:, 1].max()), values.shape[1]
    best = np.full((parts + 1, count + 1), -np.inf)
    best[0, 0] = 0
    came: dict[tuple[int, int], tuple[int, int, int]] = {}
    starting: dict[int, list[int]] = {}
    for number, (first, _) in enumerate(groups.tolist()):
        starting.setdefault(first, []).append(number)
    for part in range(parts + 1):
        for symbol in range(count):
            if best[part, symbol] + _LEFT_OUT > best[part, symbol + 1]:
                best[part, symbol + 1] = best[part, symbol] + _LEFT_OUT
                came[part, symbol + 1] = (part, symbol, -1)
        for number in starting.get(part, ()):
            last, price = int(groups[number, 1]), boundaries[part]
            for symbol in range(count + 1):
                base = best[part, symbol] - price
                if base + _NO_SYMBOL > best[last, symbol]:
                    best[last, symbol] = base + _NO_SYMBOL
                    came[last, symbol] = (part, symbol, -2)
                if symbol < count and base + values[number, symbol] > best[last, symbol + 1]:
                    best[last, symbol + 1] = base + values[number, symbol]
                    came[last, symbol + 1] = (part, symbol, number)
    at, chosen = (parts, count), []
    while at != (0, 0):
        part, symbol, number = came[at]
        if number >= 0:
            chosen.append((number, symbol))
        at = (part, symbol)
    return chosen[::-1]
