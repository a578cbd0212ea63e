"""The loop on lines of real ciphers, of which nothing was taught before.

Where the symbols of a line are is not known, only which ones there are. So its true boxes are those of the best path
that reads the transcript, by a head that was taught with cut-outs of the symbols; the loop knows nothing of that head.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_server.core.reading.options import ReadOptions
from haleganada_server.core.reading.taught.page import TaughtPage
from haleganada_server.core.reading.taught.scoring import DEFAULT_PRICES, GroupScores, score_groups
from haleganada_server.reading.documents import open_document
from haleganada_server.reading.taught.page import take_page_apart
from numpy.typing import NDArray
from PIL import Image

from tests.bench.accuracy.features import Recognizer, make_product_rasters
from tests.bench.taught.ciphers import load_lessons, load_line, load_transcripts
from tests.bench.taught.corrector import Corrector, Lessons
from tests.bench.taught.pages import Truth

_LEFT_OUT, _NO_SYMBOL = -60.0, -20.0  # nats: for a symbol without ink, and for ink without a symbol


@dataclass(frozen=True)
class CipherRun:
    """corrections: made. distinct: symbols. symbols: on all lines. left: those that did not become right."""

    corrections: int
    distinct: int
    symbols: int
    left: int


def correct_lines(recognizer: Recognizer, cipher: str, data: Path, folder: Path, *, many: bool) -> CipherRun:
    """Correct the lines of a cipher one after another, each until all of it is right, or nothing can be done. folder:
    for files that are not kept.
    """
    cut_outs, lessons = Lessons(recognizer), Lessons(recognizer)
    pictures, labels = zip(*((picture, symbol) for picture, symbol in load_lessons(cipher, data)), strict=True)
    drawings = [255 - np.asarray(Image.open(io.BytesIO(one)).convert("L"), np.uint8) for one in pictures]
    for label, vector in zip(labels, recognizer.embed(make_product_rasters(drawings)), strict=True):  # type: ignore[arg-type]
        cut_outs.add(label, vector)
    corrections, left, seen = 0, 0, list[str]()
    for name, symbols in load_transcripts(cipher).items():
        path = folder / name
        path.write_bytes(load_line(cipher, name, data))
        taken, _ = take_page_apart(open_document(path), 1, ReadOptions())
        page = taken.embed(recognizer.embedder.embed, recognizer.embedder.hash)
        truth = align(page, symbols, cut_outs)
        corrector = Corrector(page, truth, lessons, many=many)
        corrector.correct(5 * len(truth))
        corrections += len(corrector.errors) - 1
        left += corrector.errors[-1]
        seen += [glyph.label for glyph in truth]
    return CipherRun(corrections, len(set(seen)), len(seen), left)


def align(page: TaughtPage, symbols: list[str], lessons: Lessons) -> list[Truth]:
    """Return where the symbols of a transcript are most probably."""
    knowledge, lattice = lessons.know(), page.lattice
    projection = lessons.recognizer.head_parameters.projection
    log_likelihoods = knowledge.head.score_many(page.project(projection))
    ratios = log_likelihoods[:, :-1] - log_likelihoods[:, -1:]
    scores = score_groups(lattice, log_likelihoods, prices=DEFAULT_PRICES)
    columns = [knowledge.head.index.get(symbol, -1) for symbol in symbols]
    values = np.stack([ratios[:, column] if column >= 0 else np.full(len(ratios), -30.0) for column in columns], axis=1)
    chosen = _find_best(lattice.groups, values, scores)
    boxes = {symbol: tuple(lattice.group_boxes[group].tolist()) for group, symbol in chosen}
    return [Truth(symbols[number], page_box(page, boxes[number]), lattice.find_line(0)) for number in sorted(boxes)]


def page_box(page: TaughtPage, box: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the box around a box of the lattice, in px of the page."""
    a, b, c, d, e, f = page.frame.to_page
    left, top, right, bottom = box
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    x, y = corners @ (a, b) + c, corners @ (d, e) + f
    return round(x.min()), round(y.min()), round(x.max()), round(y.max())


def _find_best(groups: NDArray[np.int32], values: NDArray[np.float64], scores: GroupScores) -> list[tuple[int, int]]:
    """Return which group is which symbol, on the best path. values: (groups, symbols)."""
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
            last, price = int(groups[number, 1]), scores.boundaries[part]
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
