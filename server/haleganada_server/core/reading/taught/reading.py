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
        is_glyph = [self._is_glyph(group, scores) for group in path.groups.tolist()]
        return self._describe(path.groups[is_glyph], scores.labels, path.certainties[is_glyph])

    def _is_glyph(self, group: int, scores: GroupScores) -> bool:
        return bool(self._texts.get(group, scores.labels[group] != NOISE or self._lattice.is_joined[group]))

    def _find_path(self, label_sizes: NDArray[np.float64] | None) -> tuple[GroupScores, Path]:
        scores = score_groups(self._lattice, self._log_likelihoods, label_sizes, self._prices, self._boundary_odds)
        scores.labels[[*self._labels]] = [*self._labels.values()]
        scores = compose_labels(self._lattice, scores, self._labels, self._prices.composition, self._allowed)
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

    def _describe(
        self, groups: NDArray[np.intp], labels: NDArray[np.intp], certainties: NDArray[np.float64]
    ) -> list[FoundGlyph]:
        """groups: those that are glyphs, (n,). labels: of all groups. certainties: (n,) that each is one glyph."""
        probabilities = self._probabilities(groups)
        names, canonical = _number_canonical_labels(self._knowledge)
        odds = _add_forms(probabilities[:, :-1], canonical, len(names))
        own = labels[groups]
        is_known = (own >= 0) & (probabilities[:, -1] < _NOT_READ)
        numbers = np.where(is_known, canonical[own] if len(canonical) else 0, UNKNOWN)
        texts = [names[number] if number >= 0 else "" for number in numbers.tolist()]
        confidences = np.zeros(len(groups))
        confidences[is_known] = odds[is_known, numbers[is_known]] * certainties[is_known]
        return [
            FoundGlyph(
                group=group,
                glyph_id=glyph_id,
                text=self._texts.get(group, text),
                confidence=1.0 if group in self._texts else confidence,
                candidates=candidates,
                is_settled=group in self._texts,
            )
            for group, glyph_id, text, confidence, candidates in zip(
                groups.tolist(),
                self._lattice.group_ids[groups].tolist(),
                texts,
                confidences.tolist(),
                _rank(odds, names),
                strict=True,
            )
        ]


def _number_canonical_labels(knowledge: Knowledge) -> tuple[list[str], NDArray[np.intp]]:
    """Return the canonical labels, and the number among these of what each label of the head stands for."""
    canonical = [knowledge.variants.canonical(label) for label in knowledge.head.labels]
    names = list(dict.fromkeys(canonical))
    numbers = {name: number for number, name in enumerate(names)}
    return names, np.array([numbers[name] for name in canonical], np.intp)


def _add_forms(probabilities: NDArray[np.float64], canonical: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    """Return the probability of each canonical label, (n, count), of which the forms have these, (n, labels)."""
    if count == len(canonical):
        return probabilities
    odds = np.zeros((count, len(probabilities)))
    np.add.at(odds, canonical, probabilities.T)
    return odds.T


def _rank(odds: NDArray[np.float64], names: list[str]) -> list[tuple[GlyphCandidate, ...]]:
    """Return the most probable canonical labels of each glyph, the best first. odds: (n, labels)."""
    most = min(TAUGHT_CANDIDATES, odds.shape[1])
    if most < odds.shape[1]:
        best = np.argpartition(-odds, most - 1, axis=1)[:, :most]
    else:
        best = np.broadcast_to(np.arange(most), odds.shape)
    order = np.argsort(-np.take_along_axis(odds, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    found = np.minimum(np.take_along_axis(odds, best, axis=1), 1.0)
    return [
        tuple(GlyphCandidate(text=names[number], probability=odd) for number, odd in zip(numbers, row, strict=True))
        for numbers, row in zip(best.tolist(), found.tolist(), strict=True)
    ]


def _are_names(knowledge: Knowledge) -> bool:
    """Return whether labels are names of signs, such as “plus”, rather than characters."""
    labels = {knowledge.variants.canonical(label) for label in knowledge.head.labels}
    return any(len(split_graphemes(label)) > 1 for label in labels)
