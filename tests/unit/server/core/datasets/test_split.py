"""The split does not depend on the order of files, keeps writers together, and leaves every label trainable."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from haleganada_server.core.datasets.dataset import DatasetOptions, ItemFacts, Part, SplitRule
from haleganada_server.core.datasets.split import split
from haleganada_server.core.errors import InvalidInput
from hypothesis import given
from hypothesis import strategies as st

shares = st.floats(0, 0.5)
options = st.builds(
    DatasetOptions, st.just("x"), st.just(SplitRule.AUTO), shares, shares, st.integers(-(2**63), 2**63 - 1)
)


def items(writers: st.SearchStrategy[str], parts: st.SearchStrategy[Part | None]) -> st.SearchStrategy[list[ItemFacts]]:
    drawn = st.tuples(st.sampled_from("abcಕ"), writers, parts)
    return st.lists(drawn, min_size=1, max_size=60).map(
        lambda rows: [item(i, label, writer, part) for i, (label, writer, part) in enumerate(rows)]
    )


def item(number: int, label: str, writer: str = "", part: Part | None = None) -> ItemFacts:
    digest = number.to_bytes(16, "big")
    return ItemFacts(item=f"{number}.png", label=label, folder=label, part=part, writer=writer, digest=digest)


without_parts = items(st.sampled_from(["", "1", "2", "3", "4", "5"]), st.none())
with_writers = items(st.sampled_from(["1", "2", "3", "4", "5"]), st.none())
with_parts = items(st.just(""), st.sampled_from([None, *Part]))


@given(st.one_of(without_parts, with_writers, with_parts), options, st.randoms())
def test_the_order_of_files_does_not_matter(
    found: list[ItemFacts], chosen: DatasetOptions, dice: random.Random
) -> None:
    shuffled = dice.sample(found, len(found))
    here = dict(zip([item.item for item in found], split(found, chosen), strict=True))
    there = dict(zip([item.item for item in shuffled], split(shuffled, chosen), strict=True))
    assert here == there


@given(with_writers, options)
def test_no_writer_is_in_two_parts(found: list[ItemFacts], chosen: DatasetOptions) -> None:
    try:
        parts = split(found, replace(chosen, split=SplitRule.BY_WRITER))
    except InvalidInput as error:
        assert error.field == "split"
        return
    seen = {(item.writer, part) for item, part in zip(found, parts, strict=True)}
    assert len(seen) == len({item.writer for item in found})


@given(st.one_of(without_parts, with_writers), options)
def test_every_label_can_be_trained(found: list[ItemFacts], chosen: DatasetOptions) -> None:
    parts = split(found, chosen)
    trained = {item.label for item, part in zip(found, parts, strict=True) if part is Part.TRAIN}
    assert trained == {item.label for item in found}


@given(with_parts, options)
def test_given_parts_are_kept(found: list[ItemFacts], chosen: DatasetOptions) -> None:
    for one, part in zip(found, split(found, chosen), strict=True):
        if one.part in (Part.VALIDATION, Part.TEST):
            assert part is one.part


@given(options)
def test_a_stratified_split_has_the_shares_of_each_label(chosen: DatasetOptions) -> None:
    found = [item(i, "ab"[i % 2]) for i in range(200)]
    parts = split(found, replace(chosen, split=SplitRule.STRATIFIED))
    for label in "ab":
        counted = Counter(part for one, part in zip(found, parts, strict=True) if one.label == label)
        assert abs(counted[Part.TEST] - 100 * chosen.test_share) <= 0.5
        assert counted[Part.TRAIN] >= 1
        if chosen.test_share + chosen.validation_share < 0.98:
            assert abs(counted[Part.VALIDATION] - 100 * chosen.validation_share) <= 0.5


def test_a_few_items_are_all_for_training() -> None:
    found = [item(i, label) for i, label in enumerate("abbccc")]
    assert split(found, DatasetOptions("x")) == [Part.TRAIN] * 6
    kept = split(found, DatasetOptions("x", validation_share=0.5, test_share=0.5))
    assert {one.label for one, part in zip(found, kept, strict=True) if part is Part.TRAIN} == set("abc")


def test_the_split_depends_on_the_seed() -> None:
    found = [item(i, "ab"[i % 2]) for i in range(100)]
    first, again, other = (split(found, DatasetOptions("x", seed=seed)) for seed in (0, 0, 1))
    assert first == again != other


def test_whole_writers_are_assigned_close_to_the_shares() -> None:
    found = [item(i, "ab"[i // 15 % 2], str(i % 15)) for i in range(300)]
    counted = Counter(split(found, DatasetOptions("x")))
    assert counted == {Part.TRAIN: 220, Part.VALIDATION: 40, Part.TEST: 40}


def test_a_part_that_is_missing_is_taken_from_training() -> None:
    found = [item(i, "ab"[i % 2], part=Part.TEST if i < 20 else Part.TRAIN) for i in range(120)]
    parts = split(found, DatasetOptions("x"))
    assert parts[:20] == [Part.TEST] * 20
    assert Counter(parts[20:]) == {Part.TRAIN: 84, Part.VALIDATION: 16}


@pytest.mark.parametrize("writers", ["", "1", "12"])
def test_too_few_writers(writers: str) -> None:
    found = [item(i, "ab"[i % 2], writers[i % len(writers)] if writers else "") for i in range(20)]
    with pytest.raises(InvalidInput) as caught:
        split(found, DatasetOptions("x", SplitRule.BY_WRITER))
    assert caught.value.field == "split" and "writer" in caught.value.description
    assert Part.TEST in split(found, DatasetOptions("x"))  # stratified instead, unless by-writer is required


def test_labels_that_have_one_writer_each_cannot_be_split_by_writer() -> None:
    found = [item(i, "abcde"[i % 5], "12345"[i % 5]) for i in range(50)]
    with pytest.raises(InvalidInput, match="no drawing left to train on"):
        split(found, DatasetOptions("x", SplitRule.BY_WRITER))


def test_a_writer_in_two_parts_of_the_source() -> None:
    found = [item(i, "ab"[i % 2], str(i // 2 % 4), Part.TEST if i >= 32 else None) for i in range(40)]
    with pytest.raises(InvalidInput, match="is in two parts"):
        split(found, DatasetOptions("x", SplitRule.BY_WRITER))
    assert split(found, DatasetOptions("x"))[32:] == [Part.TEST] * 8
