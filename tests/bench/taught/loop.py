"""The loop: how many corrections a page takes whose script nobody has taught, until nearly all of it is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from haleganada_server.core.reading.options import ReadOptions
from haleganada_server.core.reading.taught.page import TaughtPage
from haleganada_server.reading.documents import open_document
from haleganada_server.reading.taught.page import take_page_apart
from numpy.typing import NDArray

from tests.bench.accuracy.features import Recognizer
from tests.bench.accuracy.sets import Handwriting, load_held_out_alphabets, load_kannada
from tests.bench.table import Table
from tests.bench.taught.ciphers import lines as ciphers
from tests.bench.taught.ciphers.loop import correct_lines
from tests.bench.taught.composed import PAPERS, encode_page
from tests.bench.taught.corrector import Corrector, Lessons
from tests.bench.taught.pages import LEVELS, ComposedPage, Gray, Spacing, compose, load_papers
from tests.bench.taught.printed import compose_printed, find_fonts, load_words

CORRECTION_S, TYPED_GLYPH_S = 2.0, 1.0
"""What a correction takes a person, and typing a glyph."""
PER_LABEL = 20 / 3
"""Glyphs of a page for each of its labels: 400 of 60."""
_WHOLE = 0.4  # of the longer side of a drawing, that its largest piece reaches through
_MOST = 5  # corrections for each distinct glyph, after which a page is given up
_COLUMNS = (
    "page", "one by one", "all that are the same at once", "target", "F1 at first, in the end",
    "second page, unseen, of what was taught", "typed, corrected",
)  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """compose: makes pages of one hand. targets: corrections for each distinct glyph, one by one and all at once."""

    name: str
    compose: Callable[[int], Sequence[ComposedPage]]
    target: str


@dataclass(frozen=True)
class Curve:
    """Glyphs that are wrong after each correction, as a share of all; and distinct glyphs of the page."""

    name: str
    many: bool
    errors: list[float]
    distinct: int


def measure(data: Path, pages: int, glyphs: int, only: str = "", plots: Path | None = None) -> Table:
    """pages: of each trial. glyphs: of each page. only: trials and ciphers whose names have this."""
    table = Table("Corrections for each distinct glyph, until 98 % of a page are right", _COLUMNS)
    recognizer, curves = Recognizer.load_shipped(), list[Curve]()
    for trial in (one for one in make_trials(data, glyphs) if only in one.name):
        runs = [[run(recognizer, trial, seed, many=many) for seed in range(pages)] for many in (False, True)]
        curves += [Curve(trial.name, some[0].many, some[0].errors, some[0].distinct) for some in runs]
        ones, many = runs
        table.add(
            trial.name,
            _ratios(ones),
            _ratios(many),
            trial.target,
            f"{np.mean([one.first_f1 for one in ones]):.3f}, {np.mean([one.last_f1 for one in ones]):.3f}",
            " ".join(f"{one.second:.0%} of {one.taught:.0%}" for one in many if one.second is not None),
            f"{glyphs * TYPED_GLYPH_S:.0f} s, {CORRECTION_S * np.mean([one.corrections for one in many]):.0f} s",
        )
    for cipher in (one for one in ciphers.TARGETS if only in f"lines of {one}"):
        with TemporaryDirectory() as folder:
            lines = [correct_lines(recognizer, cipher, data, Path(folder), many=many) for many in (False, True)]
        table.add(
            f"lines of {cipher}, {lines[0].symbols} symbols",
            *(
                f"{one.corrections / one.distinct:.2f}" + (f" ({one.left} not right)" if one.left else "")
                for one in lines
            ),
            *("2.0", "", "", f"{lines[1].symbols:.0f} s, {CORRECTION_S * lines[1].corrections:.0f} s"),
        )
    if plots:
        from tests.bench.taught.plots import draw

        draw(plots, curves)
    return table


@dataclass(frozen=True)
class Run:
    """One page that was corrected. errors: shares that were wrong after each correction. is_done: whether it became
    right. second: the share of a second page by the same hand that was right before any correction. taught: the share
    of its glyphs whose labels the first page had taught by then, which no reader can exceed.
    """

    many: bool
    distinct: int
    corrections: int
    is_done: bool
    errors: list[float]
    first_f1: float
    last_f1: float
    second: float | None
    taught: float


def run(recognizer: Recognizer, trial: Trial, seed: int, *, many: bool) -> Run:
    first, *others = trial.compose(seed)
    lessons = Lessons(recognizer)
    corrector = Corrector(take_apart(first, recognizer), first.glyphs, lessons, many=many)
    distinct = len({glyph.label for glyph in first.glyphs})
    count = corrector.correct(_MOST * distinct)
    second, taught = None, 0.0
    if others:
        reader = Corrector(take_apart(others[0], recognizer), others[0].glyphs, lessons, many=many)
        reader.correct(0)
        second = reader.first_right
        known = {*lessons.labels}
        taught = float(np.mean([glyph.label in known for glyph in others[0].glyphs]))
    return Run(
        many=many,
        distinct=distinct,
        corrections=len(corrector.errors) - 1,
        is_done=count is not None,
        errors=[wrong / len(first.glyphs) for wrong in corrector.errors],
        first_f1=corrector.f1(0),
        last_f1=corrector.f1(-1),
        second=second,
        taught=taught,
    )


def take_apart(page: ComposedPage, recognizer: Recognizer) -> TaughtPage:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "page"
        path.write_bytes(encode_page(page))
        taken, _ = take_page_apart(open_document(path), 1, ReadOptions())
    return taken.embed(recognizer.embedder.embed, recognizer.embedder.hash)


def make_trials(data: Path, glyphs: int) -> list[Trial]:
    papers = load_papers(data)
    kannada = load_kannada(data)
    alphabets = {hand.name: hand for hand in load_held_out_alphabets(data)}

    def write(hand: Handwriting, spacing: Spacing, one_writer: bool) -> Callable[[int], Sequence[ComposedPage]]:
        return lambda seed: _write(hand, spacing, one_writer, glyphs, papers, seed)

    separated, *touching = LEVELS
    trials = [
        Trial("Kannada, one writer", write(kannada, separated, True), "1.5, 1.1"),
        Trial("Kannada, several writers", write(kannada, separated, False), "1.5, 1.1"),
        *(
            Trial(f"{name}, one writer", write(alphabets[name], separated, True), "1.5, 1.1")
            for name in ("Korean", "Balinese", "Armenian")
        ),
        Trial("Korean, several writers", write(alphabets["Korean"], separated, False), "1.5, 1.1"),
        *(Trial(f"Kannada, one writer, {one.name}", write(kannada, one, True), "2.5") for one in touching),
    ]
    words = load_words(data)
    for number, font in enumerate(find_fonts()):
        trials.append(Trial(f"print, {font.stem}", _print(font, words, glyphs, papers[PAPERS[number % 4]]), "1.3"))
    return trials


def _print(font: Path, words: list[str], glyphs: int, paper: Gray) -> Callable[[int], Sequence[ComposedPage]]:
    def compose_both(seed: int) -> Sequence[ComposedPage]:
        start = seed * 4 * glyphs
        return [compose_printed(font, words[start + shift :], glyphs, paper) for shift in (0, 2 * glyphs)]

    return compose_both


def _write(
    hand: Handwriting, spacing: Spacing, one_writer: bool, glyphs: int, papers: list[Gray], seed: int
) -> list[ComposedPage]:
    """Return two pages by the same hand, or by the same hands."""
    rng = np.random.default_rng([seed, 77])
    assert hand.writers is not None
    every = np.unique(hand.labels)
    labels = rng.choice(every, min(round(glyphs / PER_LABEL), len(every)), replace=False)
    writer = rng.choice(np.unique(hand.writers))

    def choose(label: int) -> int:
        assert hand.writers is not None
        rows: NDArray[np.intp] = np.flatnonzero(hand.labels == label)
        own = rows[hand.writers[rows] == writer] if one_writer else rows
        chosen = int(rng.choice(own if len(own) else rows))
        return chosen if is_whole(hand.drawings[chosen]) else int(rng.choice(rows))

    pages = [np.array([choose(label) for label in rng.choice(labels, glyphs)]) for _ in range(2)]
    return [compose(hand, rows, spacing, rng, papers[PAPERS[(seed + i) % 4]]) for i, rows in enumerate(pages)]


def is_whole(drawing: NDArray[np.uint8]) -> bool:
    """Return whether there is a piece of ink that reaches through much of a drawing; where a pen failed, there are dots
    alone.
    """
    rows, columns = np.nonzero(drawing > 64)
    _, _, stats, _ = cv2.connectedComponentsWithStats((drawing > 64).astype(np.uint8), connectivity=8)
    largest = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(initial=0)
    return bool(len(rows) and largest >= _WHOLE * max(np.ptp(rows), np.ptp(columns)))


def _ratios(runs: Sequence[Run]) -> str:
    """Return corrections for each distinct glyph."""
    return " ".join(f"{one.corrections / one.distinct:.2f}" + ("" if one.is_done else " (not right)") for one in runs)
