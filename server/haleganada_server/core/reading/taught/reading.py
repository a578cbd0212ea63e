"""Reads a page that was taken apart, with what a workspace knows: which groups are glyphs, of which label, and how sure
that is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.limits import TAUGHT_CANDIDATES
from haleganada_server.core.reading.graphemes import split_graphemes
from haleganada_server.core.reading.page import GlyphCandidate, PageReading

from .assembly import FoundGlyph, assemble
from .compositions import compose_labels
from .learning import find_boundaries, weigh_boundaries
from .page import TaughtPage
from .path import Path, find_path
from .scoring import DEFAULT_PRICES, NOISE, UNKNOWN, GroupScores, Prices, measure_label_sizes, score_groups
from .settled import Settled, find_allowed

_NOT_READ = 0.95  # probability of “unknown”, from which on a glyph has no text; below, its best label is worth a look
_SURE = 0.7  # probability of a glyph's label, from which on it tells how large the label is on this page


_NOTHING_SETTLED = Settled()


def read_taught(
    page: TaughtPage,
    knowledge: Knowledge,
    parameters: HeadParameters,
    prices: Prices = DEFAULT_PRICES,
    settled: Settled = _NOTHING_SETTLED,
) -> PageReading:
    """Return the reading of a page whose groups are embedded. What is settled stays as it is. Takes milliseconds, so
    that it can be repeated after each correction.
    """
    if not len(page.lattice.groups):
        return assemble(page, [], are_names=False)
    glyphs = _Reader(page, knowledge, parameters, prices, settled).read()
    return assemble(page, glyphs, are_names=_are_names(knowledge))


class _Reader:
    """Reads one page once."""

    def __init__(
        self, page: TaughtPage, knowledge: Knowledge, parameters: HeadParameters, prices: Prices, settled: Settled
    ) -> None:
        self._lattice, self._knowledge, self._prices = page.lattice, knowledge, prices
        self._calibration = parameters.calibration
        self._texts = settled.find_groups(page.lattice)
        self._allowed = find_allowed(page.lattice, settled)
        glyphs = [group for group, text in self._texts.items() if text]
        self._labels = {group: knowledge.head.index.get(self._texts[group], UNKNOWN) for group in glyphs}
        self._boundary_odds = weigh_boundaries(page.lattice, find_boundaries(page.lattice, glyphs))
        self._log_likelihoods = knowledge.head.score_many(page.project(parameters.projection))

    def read(self) -> list[FoundGlyph]:
        """Return the glyphs, in order. They are found twice, because the first path tells how large each label is."""
        scores, path = self._find_path(None)
        if self._knowledge.head.labels:
            scores, path = self._find_path(self._measure_sizes(scores, path))
        return [
            self._describe(group, int(scores.labels[group]), probabilities, certainty)
            for group, probabilities, certainty in zip(
                path.groups.tolist(), self._probabilities(path.groups), path.certainties.tolist(), strict=True
            )
            if self._is_glyph(group, scores)
        ]

    def _is_glyph(self, group: int, scores: GroupScores) -> bool:
        return bool(self._texts.get(group, scores.labels[group] != NOISE or self._lattice.is_joined[group]))

    def _find_path(self, label_sizes: NDArray[np.float64] | None) -> tuple[GroupScores, Path]:
        scores = score_groups(self._lattice, self._log_likelihoods, label_sizes, self._prices, self._boundary_odds)
        scores.labels[[*self._labels]] = [*self._labels.values()]
        scores = compose_labels(self._lattice, scores, self._labels, self._prices.composition)
        return scores, find_path(self._lattice, scores, self._prices.temperature, self._allowed)

    def _measure_sizes(self, scores: GroupScores, path: Path) -> NDArray[np.float64]:
        labels = scores.labels[path.groups]
        best = self._probabilities(path.groups)[np.arange(len(labels)), labels]
        is_sure = (best * path.certainties >= _SURE) | np.isin(path.groups, [*self._labels])
        sure = path.groups[(labels >= 0) & is_sure]
        return measure_label_sizes(
            self._lattice.group_boxes[sure], scores.labels[sure], len(self._knowledge.head.labels)
        )

    def _probabilities(self, groups: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the probability of each label and of “unknown”, (n, labels + 1)."""
        head = self._knowledge.head
        if not head.labels:
            return np.ones((len(groups), 1))
        return self._calibration.probabilities(self._log_likelihoods[groups], head.calibration_context())

    def _describe(self, group: int, label: int, probabilities: NDArray[np.float64], certainty: float) -> FoundGlyph:
        """probabilities: (labels + 1,) of its labels. certainty: that it is one glyph."""
        head, variants = self._knowledge.head, self._knowledge.variants
        odds: dict[str, float] = {}
        for number in np.argsort(-probabilities[:-1], kind="stable")[: 2 * TAUGHT_CANDIDATES].tolist():
            canonical = variants.canonical(head.labels[number])
            odds[canonical] = odds.get(canonical, 0.0) + float(probabilities[number])
        is_known = label >= 0 and probabilities[-1] < _NOT_READ
        text = variants.canonical(head.labels[label]) if is_known else ""
        is_settled = group in self._texts
        best = sorted(odds.items(), key=lambda item: -item[1])[:TAUGHT_CANDIDATES]
        return FoundGlyph(
            group=group,
            glyph_id=int(self._lattice.group_ids[group]),
            text=self._texts.get(group, text),
            confidence=1.0 if is_settled else odds.get(text, 0.0) * certainty,
            candidates=tuple(GlyphCandidate(text=name, probability=min(1.0, odd)) for name, odd in best),
            is_settled=is_settled,
        )


def _are_names(knowledge: Knowledge) -> bool:
    """Return whether labels are names of signs, such as “plus”, rather than characters."""
    labels = {knowledge.variants.canonical(label) for label in knowledge.head.labels}
    return any(len(split_graphemes(label)) > 1 for label in labels)
