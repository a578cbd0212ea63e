"""Pages of known glyphs, read through the API of a server: separated and touching, one writer and several."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_client import HaleganadaClient
from haleganada_client.reading.types import PageReading
from numpy.typing import NDArray
from PIL import Image

from tests.bench.accuracy.sets import Handwriting, load_held_out_alphabets, load_kannada
from tests.bench.accuracy.teaching import encode_png
from tests.bench.table import Table
from tests.bench.taught.matching import Match, ReadGlyph, match
from tests.bench.taught.pages import LEVELS, ComposedPage, Spacing, compose, load_papers

GLYPHS, LABELS, PAPERS = 400, 60, (2, 7, 8, 12)
_TEACHERS = 2 / 3  # of the writers; the others write the pages
_BASELINE = {  # prototype, 3 taught of each of 60 labels: found, named
    "separated": "100 %, 99 %",
    "touching, one in six": "88-90 %, -",
}


@dataclass(frozen=True)
class Trial:
    """name: what is written. shots: drawings taught of each label. known: share of the labels that are taught."""

    name: str
    load: Callable[[Path], Handwriting]
    shots: int
    one_writer: bool
    known: float = 1.0


TRIALS = (
    Trial("Kannada, one writer a page, 1 taught", load_kannada, 1, one_writer=True),
    Trial("Kannada, one writer a page, 3 taught", load_kannada, 3, one_writer=True),
    Trial("Kannada, several writers, 3 taught", load_kannada, 3, one_writer=False),
    Trial("Korean, one writer a page, 3 taught", lambda data: _alphabet(data, "Korean"), 3, one_writer=True),
    Trial("Balinese, one writer a page, 3 taught", lambda data: _alphabet(data, "Balinese"), 3, one_writer=True),
)


def measure(client: HaleganadaClient, data: Path, pages: int) -> Table:
    """pages: of each trial and spacing."""
    table = Table("Composed pages", ("pages", "spacing", "found", "named", "F1", "prototype: found, named", "n"))
    papers = load_papers(data)
    for trial in TRIALS:
        hand = trial.load(data)
        for spacing in LEVELS:
            total = Match()
            for seed in range(pages):
                total += _read_one(client, trial, hand, spacing, papers[PAPERS[seed % len(PAPERS)]], seed)
            table.add(
                trial.name,
                spacing.name,
                _percent(total.found, total.true),
                _percent(total.named, total.true),
                f"{total.f1:.3f}",
                _BASELINE.get(spacing.name, "") if trial.shots == 3 else "",
                str(total.true),
            )
    return table


def to_glyphs(page: PageReading) -> list[ReadGlyph]:
    return [ReadGlyph(glyph.text, glyph.box) for word in page.words for glyph in word.glyphs]


def encode_page(page: ComposedPage) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(page.picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _read_one(
    client: HaleganadaClient, trial: Trial, hand: Handwriting, spacing: Spacing, paper: NDArray[np.uint8], seed: int
) -> Match:
    rng = np.random.default_rng([seed, 20])
    lessons, rows = choose(hand, trial, rng)
    workspace = f"page {time.monotonic_ns()}"
    client.create_workspace(workspace)
    for start in range(0, len(lessons), 256):
        part = lessons[start : start + 256]
        drawn = [(encode_png(np.pad(hand.drawings[i], 4)), str(hand.labels[i]), "", "") for i in part]
        client.train_batch(drawn, workspace=workspace)
    page = compose(hand, rows, spacing, rng, paper)
    return match(page.glyphs, to_glyphs(client.read(encode_page(page), mode="taught", workspace=workspace)))


def choose(hand: Handwriting, trial: Trial, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to teach, and those of a page by writers who did not teach."""
    assert hand.writers is not None
    every, writers = np.unique(hand.labels), np.unique(hand.writers)
    labels = rng.choice(every, min(LABELS, len(every)), replace=False)
    is_teacher = np.isin(hand.writers, writers[: round(_TEACHERS * len(writers))])
    writer = rng.choice(writers[round(_TEACHERS * len(writers)) :])

    def find(label: int, allowed: NDArray[np.bool_]) -> NDArray[np.intp]:
        return np.flatnonzero((hand.labels == label) & allowed)

    lessons = [rng.permutation(find(label, is_teacher))[: trial.shots] for label in labels]
    by_label = {}
    for label in labels:
        others = find(label, ~is_teacher)
        own = others[hand.writers[others] == writer]
        by_label[label] = own if trial.one_writer and len(own) else others
    return np.concatenate(lessons), np.array([rng.choice(by_label[label]) for label in rng.choice(labels, GLYPHS)])


def _alphabet(data: Path, name: str) -> Handwriting:
    return next(hand for hand in load_held_out_alphabets(data) if hand.name == name)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.1f} %"
