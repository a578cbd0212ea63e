"""What is asked about a page: the middles of large clusters first, and nothing that a person has said."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from haleganada_server.core.fewshot.builder import build_head
from haleganada_server.core.fewshot.confidence import Calibration
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.fewshot.projection import Projection
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.stale_samples import StaleSamples
from haleganada_server.core.knowledge.variants import Variants
from haleganada_server.core.reading.page import Question, QuestionKind
from haleganada_server.core.reading.taught.ink import PageInkMap
from haleganada_server.core.reading.taught.lattice import GlyphLattice
from haleganada_server.core.reading.taught.page import GroupRasters, PageFrame, TaughtPage
from haleganada_server.core.reading.taught.questions import find_questions
from haleganada_server.core.reading.taught.reading import read_taught
from haleganada_server.core.reading.taught.settled import Settled
from numpy.typing import NDArray

K = 64
PARAMETERS = HeadParameters(Projection(np.zeros(K), np.eye(K), np.full(K, 16.0)), Calibration())
SIGNS = np.round(np.random.default_rng(0).normal(scale=4, size=(8, K)))


def write(signs: Sequence[int]) -> TaughtPage:
    """Return a page with these signs, far apart, all in one line."""
    noise = np.random.default_rng(1).normal(size=(len(signs), K))
    embeddings = (SIGNS[list(signs)] + noise).astype(np.float32)
    count = len(signs)
    lefts = np.arange(count, dtype=np.int32) * 100
    boxes = np.stack([lefts, np.zeros_like(lefts), lefts + 30, np.full_like(lefts, 40)], axis=1)
    parts = np.arange(count, dtype=np.int32)
    lattice = GlyphLattice(
        letter=40.0,
        line_starts=np.array([0, count], np.int32),
        line_blocks=np.zeros(1, np.int32),
        part_boxes=boxes,
        cuts=np.zeros(count, np.float32),
        overlaps=np.zeros(count, np.float32),
        groups=np.stack([parts, parts + 1], axis=1),
        group_boxes=boxes,
        group_ids=parts,
        is_parted=np.zeros(count, np.bool_),
        is_joined=np.zeros(count, np.bool_),
    )
    frame = PageFrame(page=1, width=100 * count, height=40, to_page=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    return TaughtPage(frame, lattice, GroupRasters((), count), PageInkMap.pack([]), embeddings, "abc")


def know(labels: Sequence[str], vectors: NDArray[np.float64]) -> Knowledge:
    return Knowledge(
        revision=1,
        head=build_head(PARAMETERS.projection.between, labels, np.round(vectors * 4096) / 4096),
        variants=Variants(),
        samples_total=len(labels),
        stale=StaleSamples(),
        class_ids=MappingProxyType({}),
    )


NOTHING = know([], np.zeros((0, K)))
UNSETTLED = Settled()


def ask(
    page: TaughtPage, knowledge: Knowledge = NOTHING, settled: Settled = UNSETTLED, most: int = 20
) -> list[Question]:
    reading = read_taught(page, knowledge, PARAMETERS, settled=settled)
    return list(find_questions(page, reading, knowledge, PARAMETERS, most))


def test_the_largest_cluster_is_asked_for_first() -> None:
    signs = [0, 1, 2, 1, 3, 1, 0, 1, 0, 4]
    questions = ask(write(signs))
    asked = [signs[question.glyph_id] for question in questions]
    assert asked[:2] == [1, 0] and sorted(asked) == [0, 1, 2, 3, 4]
    assert all(question.kind is QuestionKind.UNKNOWN for question in questions)


def test_similar_glyphs_are_those_of_the_same_sign() -> None:
    signs = [0, 1, 2, 1, 3, 1, 0, 1, 0, 4]
    for question in ask(write(signs)):
        same = [glyph for glyph, sign in enumerate(signs) if sign == signs[question.glyph_id]]
        assert sorted([question.glyph_id, *question.similar]) == same


def test_nothing_settled_is_asked_for() -> None:
    page = write([0, 1, 0, 1, 2])
    settled = Settled({0: "a", 1: "b", 2: "a", 3: "b"})
    assert [question.glyph_id for question in ask(page, settled=settled)] == [4]
    assert ask(page, settled=Settled(dict(enumerate("abcde")))) == []


def test_what_was_taught_is_not_asked_for() -> None:
    page = write([0, 0, 0, 5, 5])
    questions = ask(page, know(["a", "a"], SIGNS[[0, 0]]))
    assert [question.glyph_id in (3, 4) for question in questions] == [True]


def test_no_more_is_asked_than_is_wanted() -> None:
    assert len(ask(write(range(8)), most=3)) == 3


def test_an_empty_page_asks_nothing() -> None:
    empty = TaughtPage.without_embeddings(
        PageFrame(page=1, width=9, height=9, to_page=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0)),
        GlyphLattice.join([]),
        GroupRasters.compress([]),
        PageInkMap.pack([]),
    )
    assert ask(empty) == []
