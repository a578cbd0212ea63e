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

from .assembly import FoundGlyph, assemble, find_breaks
from .compositions import compose_labels
from .label_order import START, LabelOrder, Run, split_runs
from .label_prior import Trial, choose_weight, lay_out, look_back, weigh_neighbors
from .learning import find_boundaries, weigh_boundaries
from .page import TaughtPage
from .path import Path, find_path
from .scoring import (
    DEFAULT_PRICES,
    NOISE,
    UNKNOWN,
    GroupScores,
    Prices,
    measure_known,
    measure_label_sizes,
    measure_usual_size,
    score_groups,
)
from .settled import Settled, find_allowed

_NOT_READ = 0.995  # probability of “unknown”, from which on a glyph has no text; below, its best label is worth a look
_SURE = 0.7  # probability of a glyph's label, from which on it tells how large glyphs are on this page


_HOPELESS = 20.0  # nats behind the best label, from which on no neighbor makes a label probable
_MOST_TRIALS = 60  # settled glyphs of a page, by which it is found how much the order of labels counts


_NOTHING_SETTLED = Settled()


def read_taught(
    page: TaughtPage,
    knowledge: Knowledge,
    parameters: HeadParameters,
    prices: Prices = DEFAULT_PRICES,
    settled: Settled = _NOTHING_SETTLED,
    others: LabelOrder | None = None,
) -> PageReading:
    """Return the reading of a page whose groups are embedded. What is settled stays as it is. Takes milliseconds, so
    that it can be repeated after each correction. others: how labels follow each other in what people have settled on
    other pages, which is learned together with that of this page; None = nothing is learned from that.
    """
    if not len(page.lattice.groups):
        return assemble(page, [], are_names=False)
    glyphs = _Reader(page, knowledge, parameters, prices, settled).read(others)
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
        self._vectors = page.project(parameters.projection)
        self._log_likelihoods = knowledge.head.score_many(self._vectors)

    def read(self, others: LabelOrder | None = None) -> list[FoundGlyph]:
        """Return the glyphs, in order. They are found twice, because the first path tells how large glyphs are, those
        of each label and all.
        """
        scores, path = self._find_path()
        if self._knowledge.head.labels:
            scores, path = self._find_path_by_sizes(scores, path)
        is_glyph = [self._is_glyph(group, scores) for group in path.groups.tolist()]
        found = self._describe(path.groups[is_glyph], scores.labels, path.certainties[is_glyph])
        return found if others is None or not found else self._weigh(found, others)

    def _is_glyph(self, group: int, scores: GroupScores) -> bool:
        return bool(self._texts.get(group, scores.labels[group] != NOISE or self._lattice.is_joined[group]))

    def _find_path(self) -> tuple[GroupScores, Path]:
        """Return the first path, to which connected ink is as large as glyphs usually are."""
        prices = self._prices if self._knowledge.head.labels else self._prices.for_page(0.0)
        return self._follow(score_groups(self._lattice, self._log_likelihoods, None, prices, self._boundary_odds))

    def _find_path_by_sizes(self, first: GroupScores, path: Path) -> tuple[GroupScores, Path]:
        """Return the path that knows how large those glyphs are of which the first one is sure."""
        sure = self._find_sure(first, path)
        known = measure_known(first.labels[sure])
        count, prices = len(self._knowledge.head.labels), self._prices.for_page(known)
        label_sizes = measure_label_sizes(self._lattice.group_boxes[sure], first.labels[sure], count)
        usual_size = measure_usual_size(self._lattice, sure, known, prices)
        return self._follow(
            score_groups(self._lattice, self._log_likelihoods, label_sizes, prices, self._boundary_odds, usual_size)
        )

    def _follow(self, scores: GroupScores) -> tuple[GroupScores, Path]:
        """Return the scores with the labels that are settled and that are made of others, and the best path."""
        scores.labels[[*self._labels]] = [*self._labels.values()]
        scores = compose_labels(self._lattice, scores, self._labels, self._prices.composition, self._allowed)
        return scores, find_path(self._lattice, scores, self._prices.temperature, self._allowed)

    def _find_sure(self, scores: GroupScores, path: Path) -> NDArray[np.intp]:
        """Return the groups of a path that are glyphs of labels for sure."""
        labels = scores.labels[path.groups]
        best = self._probabilities(path.groups)[np.arange(len(labels)), labels]
        is_sure = (best * path.certainties >= _SURE) | np.isin(path.groups, [*self._labels])
        return np.asarray(path.groups[(labels >= 0) & is_sure])

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

    def _weigh(self, found: list[FoundGlyph], others: LabelOrder) -> list[FoundGlyph]:
        """Return the glyphs as they are between their neighbors."""
        lines, is_apart = find_breaks(self._lattice, np.array([glyph.group for glyph in found]))
        settled = [glyph.text if glyph.is_settled and glyph.text else None for glyph in found]
        tokens, places = lay_out(settled, lines.tolist(), is_apart.tolist())
        order = others.extend(split_runs(tokens))
        if order.is_empty:
            return found
        ends = np.flatnonzero(np.array(tokens, object) == START)
        own = [
            (glyph.group, look_back(tokens, place), int(np.searchsorted(ends, place)))
            for glyph, place in zip(found, places, strict=True)
            if self._labels.get(glyph.group, UNKNOWN) >= 0
        ]
        own = [one for one in own if self._knowledge.head.counts[self._labels[one[0]]] > 1][:_MOST_TRIALS]
        bounds = [*ends.tolist(), len(tokens)]
        runs = {line: split_runs(tokens[bounds[line - 1] : bounds[line]]) for _, _, line in own}
        orders = {line: LabelOrder(some) for line, some in runs.items()}
        trials = self._make_trials([(group, context, orders[line]) for group, context, line in own])
        return weigh_neighbors(found, lines.tolist(), is_apart.tolist(), order, choose_weight(order, trials))

    def _make_trials(self, settled: list[tuple[int, Run, LabelOrder]]) -> list[Trial]:
        """settled: groups of which there are other samples, what stands before each, and its line."""
        head, variants = self._knowledge.head, self._knowledge.variants
        groups = [group for group, _, _ in settled]
        if not groups:
            return []
        labels = np.array([self._labels[group] for group in groups])
        scores = self._log_likelihoods[groups]
        vectors = self._vectors[groups]
        scores[np.arange(len(groups)), labels] = head.score_without([head.labels[one] for one in labels], vectors)
        logs = scores[:, :-1] / self._calibration.temperature_in(head.calibration_context())
        trials = []
        for row, label, (_, context, line) in zip(logs, labels.tolist(), settled, strict=True):
            ranking = np.argsort(-row, kind="stable")[:TAUGHT_CANDIDATES].tolist()
            chosen = [label, *(one for one in ranking if one != label and row[one] > row.max() - _HOPELESS)]
            if len(chosen) == 1:
                continue  # whatever follows what, the head is sure
            trials.append(
                Trial(
                    candidates=[variants.canonical(head.labels[one]) for one in chosen],
                    logs=row[chosen],
                    own=0,
                    context=context,
                    line=line,
                )
            )
        return trials


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
