"""The candidates of a prediction."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from haleganada_server.core.fewshot.builder import build_head
from haleganada_server.core.fewshot.posterior import Posterior
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.stale_samples import StaleSamples
from haleganada_server.core.knowledge.variants import Variants
from hypothesis import given
from hypothesis import strategies as st


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3]), min_size=1, max_size=12),
    st.sampled_from([1, 40]),
    st.integers(1, 15),
)
def test_the_most_probable_labels_come_first_and_of_equal_ones_the_first_taught(
    pattern: list[float], times: int, top: int
) -> None:
    shares = pattern * times  # few labels are sorted at once, of many the largest are found first
    labels = [f"L{number}" for number in range(len(shares))]
    knowledge = Knowledge(
        revision=len(labels),
        head=build_head(np.ones(2), labels, np.zeros((len(labels), 2))),
        variants=Variants(),
        samples_total=len(labels),
        stale=StaleSamples(),
        class_ids=MappingProxyType({}),
    )
    prediction = knowledge.predict(Posterior(knowledge.head, np.array([*shares, 0.0])), top, "id")
    expected = sorted(range(len(shares)), key=lambda number: -shares[number])[:top]  # a stable sort
    assert [candidate.label for candidate in prediction.candidates] == [labels[number] for number in expected]
