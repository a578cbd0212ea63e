"""A perfect corrector of a page, simulated in the process: it answers what is asked, or else the first wrong box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.fewshot.builder import build_head
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.stale_samples import StaleSamples
from haleganada_server.core.knowledge.variants import Variants
from haleganada_server.core.reading.page import TextGlyph
from haleganada_server.core.reading.taught.edits.editing import join_groups, split_group
from haleganada_server.core.reading.taught.label_order import LabelOrder
from haleganada_server.core.reading.taught.page import TaughtPage
from haleganada_server.core.reading.taught.questions import find_questions
from haleganada_server.core.reading.taught.reading import read_taught
from haleganada_server.core.reading.taught.settled import Settled
from haleganada_server.vision.frame import frame
from numpy.typing import NDArray

from tests.bench.accuracy.features import Recognizer
from tests.bench.taught.matching import Box, is_same
from tests.bench.taught.pages import Truth

RIGHT = 0.98
SHOWN = 30
"""Glyphs that seem to be the same, of which a person looks at once."""
_BEYOND = 0.12
"""Of the width of the narrower one, by which a box reaches into two glyphs, so that a person divides it."""
_ATTEMPTS = 3
"""To correct a glyph, after which a person gives up on it."""


_NOTHING_ELSE = LabelOrder()


@dataclass
class Lessons:
    """What a workspace was taught so far: labels and projected vectors of its samples."""

    recognizer: Recognizer
    labels: list[str] = field(default_factory=list)
    vectors: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, label: str, vector: NDArray[np.float64]) -> None:
        self.labels.append(label)
        self.vectors.append(vector)

    def know(self) -> Knowledge:
        """Return what the server would know."""
        between = self.recognizer.head_parameters.projection.between
        vectors = np.array(self.vectors).reshape(-1, len(between))
        return Knowledge(
            revision=len(self.labels),
            head=build_head(between, self.labels, vectors).adapt(),
            variants=Variants(),
            samples_total=len(self.labels),
            stale=StaleSamples(),
            class_ids=MappingProxyType({}),
        )


@dataclass(frozen=True)
class Shown:
    """A glyph as a person sees it."""

    glyph: TextGlyph
    box: Box


class Corrector:
    """Corrects one page, of which all glyphs are known. many: names all glyphs at once that seem to be the same, and
    are.
    """

    def __init__(
        self,
        page: TaughtPage,
        truth: Sequence[Truth],
        lessons: Lessons,
        *,
        many: bool,
        others: LabelOrder | None = _NOTHING_ELSE,
    ) -> None:
        """others: see read_taught; None = the order of labels is not learned."""
        self._others = others
        self._page, self._truth, self._lessons, self._many = page, truth, lessons, many
        self._settled = Settled()
        self._attempts = [0] * len(truth)
        self.errors: list[int] = []
        """Glyphs that are not right after so many corrections."""
        self.actions: Counter[str] = Counter()
        self.found: list[int] = []
        self.read: list[int] = []

    @property
    def text(self) -> list[str]:
        """The glyphs of the page as it reads now; "" for those that are unknown."""
        return [shown.glyph.text for shown in self._shown]

    @property
    def first_right(self) -> float:
        """The share of glyphs that was right before any correction."""
        return 1 - self.errors[0] / len(self._truth)

    def f1(self, count: int) -> float:
        """Return the F1 of the segmentation after so many corrections; -1: in the end."""
        return 2 * self.found[count] / max(1, self.read[count] + len(self._truth))

    def correct(self, most: int) -> int | None:
        """Correct the page until it is RIGHT, at most so often; return how often that was, None if it did not do."""
        allowed = int((1 - RIGHT) * len(self._truth))
        for count in range(most + 1):
            self._look()
            if self.errors[-1] <= allowed:
                return count
            if not self._act():
                return None
        return None

    def _look(self) -> None:
        parameters = self._lessons.recognizer.head_parameters
        self._knowledge = self._lessons.know()
        self._reading = read_taught(self._page, self._knowledge, parameters, settled=self._settled, others=self._others)
        glyphs = [glyph for line in self._reading.lines for word in line.words for glyph in word.glyphs]
        self._shown = [Shown(glyph, box_of(glyph)) for glyph in glyphs]
        self._truth_of = self._match()
        hits = {number: one for one, number in self._truth_of.items()}
        self._wrong = [
            number
            for number, truth in enumerate(self._truth)
            if number not in hits or self._shown[hits[number]].glyph.text != truth.label
        ]
        self._hits = hits
        self.errors.append(len(self._wrong))
        self.found.append(len(hits))
        self.read.append(len(self._shown))

    def _match(self) -> dict[int, int]:
        """Return the number of the true glyph that each glyph shown is."""
        boxes = np.array([one.box for one in self._truth])
        found: dict[int, int] = {}
        for number, shown in enumerate(self._shown):
            near = np.flatnonzero((boxes[:, 0] < shown.box[2]) & (boxes[:, 2] > shown.box[0]))
            same = [one for one in near.tolist() if is_same(shown.box, self._truth[one].box)]
            if same and same[0] not in found.values():
                found[number] = same[0]
        return found

    def _act(self) -> bool:
        """Make one correction; return whether there was any to make."""
        numbers = {shown.glyph.glyph_id: number for number, shown in enumerate(self._shown)}
        for question in find_questions(
            self._page, self._reading, self._knowledge, self._lessons.recognizer.head_parameters
        )[:1]:
            shown = numbers[question.glyph_id]
            if shown in self._truth_of:
                similar = [numbers[one] for one in question.similar[:SHOWN]] if self._many else []
                self._name(self._truth_of[shown], shown, similar)
                is_needed = self._truth_of[shown] in self._wrong
                self.actions["asked" if is_needed else "asked needlessly"] += 1
                return True
            if self._repair(self._find_truth(self._shown[shown].box)):
                return True
        for number in self._wrong:
            if number in self._hits and self._attempts[number] < _ATTEMPTS:
                self._attempts[number] += 1
                self._name(number, self._hits[number], [])
                self.actions["wrong"] += 1
                return True
            if self._repair(number):
                return True
        return False

    def _name(self, truth: int, shown: int, similar: Sequence[int]) -> None:
        label = self._truth[truth].label
        for one in (shown, *similar):
            if one in self._truth_of and self._truth[self._truth_of[one]].label == label:
                self._settle(self._shown[one].glyph.glyph_id, label)

    def _settle(self, glyph_id: int | None, label: str) -> None:
        assert glyph_id is not None
        lattice = self._page.lattice
        self._settled = self._settled.settle(lattice, glyph_id, label)
        vectors = self._page.project(self._lessons.recognizer.head_parameters.projection)
        self._lessons.add(label, vectors[lattice.find_group(glyph_id)])

    def _find_truth(self, box: Box) -> int | None:
        """Return the true glyph that shares most with a box."""
        shares = [_share(box, truth.box) for truth in self._truth]
        return int(np.argmax(shares)) if max(shares) > 0 else None

    def _repair(self, number: int | None) -> bool:
        """Split or join what stands in the place of a glyph that was not found."""
        if number is None or self._attempts[number] >= _ATTEMPTS:
            return False
        self._attempts[number] += 1
        truth = self._truth[number]
        inside = [one for one in self._shown if _share(one.box, truth.box) > 0.3 * _width(one.box)]
        over = [one for one in self._shown if _share(one.box, truth.box) > 0.5 * _BEYOND * _width(truth.box)]
        try:
            for one in over:
                if (line := self._find_line(one.box, number)) is not None:
                    self._edit(split_group(self._page, one.glyph.glyph_id or 0, line, frame), [one])
                    self.actions["split"] += 1
                    return True
            if inside:
                page, joined = join_groups(self._page, [one.glyph.glyph_id or 0 for one in inside], frame)
                self._edit(page, inside)
                self._settle(joined, truth.label)
                self.actions["join"] += 1
                return True
        except InvalidInput:
            pass
        return False

    def _find_line(self, box: Box, number: int) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """Return where to divide a box that has a true glyph and a neighbor of it."""
        own = self._truth[number]
        for neighbor in (number - 1, number + 1):
            if not 0 <= neighbor < len(self._truth) or self._truth[neighbor].line != own.line:
                continue
            other = self._truth[neighbor]
            x = (own.box[0] + other.box[2]) / 2 if neighbor < number else (own.box[2] + other.box[0]) / 2
            beyond = _BEYOND * min(_width(own.box), _width(other.box))
            if box[0] + beyond < x < box[2] - beyond:
                return (x, box[1]), (x, box[3])
        return None

    def _edit(self, page: TaughtPage, shown: Sequence[Shown]) -> None:
        ids = [one.glyph.glyph_id or 0 for one in shown]
        self._settled = self._settled.release(self._page.lattice, ids)
        self._page = page.embed(self._lessons.recognizer.embedder.embed, page.embedder_hash)


def box_of(glyph: TextGlyph) -> Box:
    x, y = zip(*glyph.polygon, strict=True)
    return min(x), min(y), max(x), max(y)


def _width(box: Sequence[float]) -> float:
    return box[2] - box[0]


def _share(box: Sequence[float], other: Sequence[float]) -> float:
    """Return the width in px that both have, 0 if they are in different lines."""
    if min(box[3], other[3]) <= max(box[1], other[1]) + 0.2 * min(box[3] - box[1], other[3] - other[1]):
        return 0.0
    return max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
