"""From items to a data set: nothing twice, nothing in two parts, nothing under two names."""

from __future__ import annotations

import random

import pytest
from haleganada_server.core.datasets.assembly import CONFLICT, Assembled, Refusals, assemble
from haleganada_server.core.datasets.dataset import DatasetOptions, ItemFacts, Part, RefusedDrawing
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.limits import MAX_LISTED_ITEMS
from hypothesis import given
from hypothesis import strategies as st

OPTIONS = DatasetOptions("x")


def item(
    picture: str, label: str, part: Part | None = None, writer: str = "", folder: str = "", name: str = ""
) -> ItemFacts:
    return ItemFacts(
        item=name or picture,
        label=label,
        folder=folder or label,
        part=part,
        writer=writer,
        digest=picture.encode(),
    )


def assemble_items(items: list[ItemFacts]) -> Assembled:
    return assemble(items, OPTIONS, Refusals())


rows = st.lists(
    st.tuples(
        st.sampled_from("PQRSTUVW"), st.sampled_from("ab"), st.sampled_from([None, *Part]), st.sampled_from("12")
    ),
    min_size=1,
    max_size=40,
)


@given(rows, st.randoms())
def test_no_picture_is_in_two_parts_or_twice_and_order_does_not_matter(
    found: list[tuple[str, str, Part | None, str]], dice: random.Random
) -> None:
    items = [item(*row, name=f"{row}") for row in found]
    refusals = Refusals()
    try:
        first = assemble(items, OPTIONS, refusals)
    except InvalidInput:
        return  # fewer than two labels
    kept = [items[i] for i in first.order]
    assert len({one.digest for one in kept}) == len(kept)
    assert len(kept) + len(first.leaked) + first.duplicates + refusals.total == len(items)
    for one, part in zip(kept, first.parts, strict=True):
        latest = max(other.part or Part.TRAIN for other in items if other.digest == one.digest)
        assert part >= latest  # what is in a later part is never trained on
    shuffled = dice.sample(items, len(items))
    second = assemble_items(shuffled)
    assert [items[i] for i in first.order] == [shuffled[i] for i in second.order]
    assert (first.label_ids, first.parts, first.writer_ids) == (second.label_ids, second.parts, second.writer_ids)
    assert (first.leaked, first.duplicates) == (second.leaked, second.duplicates)
    assert first.duplicated == second.duplicated
    place = {one.item: part for one, part in zip(kept, first.parts, strict=True)}
    assert all(left.kept_part is place[left.kept] for left in (*first.leaked, *first.duplicated))


def test_a_leak_is_taken_out_of_the_earlier_part() -> None:
    found = assemble_items(
        [
            item("P", "a", Part.TRAIN),
            item("P", "a", Part.TEST, name="again"),
            item("Q", "a", Part.TRAIN),
            item("R", "b", Part.TRAIN),
            item("R", "b", Part.VALIDATION, name="again"),
            item("S", "b", Part.TRAIN),
        ]
    )
    assert [(leak.item, leak.kept) for leak in found.leaked] == [("P", "again"), ("R", "again")]
    assert found.duplicates == 0
    assert [(count.label, count.train, count.validation, count.test) for count in found.labels] == [
        ("a", 1, 0, 1),
        ("b", 1, 1, 0),
    ]


def test_the_same_picture_counts_once() -> None:
    found = assemble_items([item("P", "a"), item("P", "a", name="again"), item("Q", "b")])
    assert (len(found.order), found.duplicates, found.leaked) == (2, 1, [])
    assert [(one.item, one.kept) for one in found.duplicated] == [("P", "again")]


def test_what_is_twice_in_an_earlier_part_is_a_leak_and_a_duplicate_of_what_was_kept() -> None:
    twice = [item("P", "a", Part.TRAIN, name=name) for name in ("one", "two")]
    found = assemble_items([*twice, item("P", "a", Part.TEST, name="kept"), item("Q", "b"), item("R", "b")])
    (leak,), (duplicate,) = found.leaked, found.duplicated
    assert (leak.item, leak.kept, leak.part, leak.kept_part) == ("two", "kept", Part.TRAIN, Part.TEST)
    assert (duplicate.item, duplicate.kept, duplicate.part) == ("one", "kept", Part.TRAIN)


def test_drawings_of_none_of_the_labels_count_apart() -> None:
    strangers = [item(f"U{i}", "", folder=folder) for i, folder in enumerate(["999", "junk"] * 10)]
    known = [item(f"{label}{i}", label) for label in "ab" for i in range(20)]
    found = assemble_items([*strangers, *known])
    assert found.label_ids.count(-1) == 20 and [count.label for count in found.labels] == ["a", "b"]
    assert (found.unknown.train, found.unknown.validation, found.unknown.test) == (14, 3, 3)
    with pytest.raises(InvalidInput, match="only drawings of “a”"):
        assemble_items([*strangers, item("P", "a")])
    refusals = Refusals()
    assemble([*known, item("P", "a"), item("P", "", name="again")], OPTIONS, refusals)
    assert "as a drawing of none of the labels" in refusals.listed[0].message


def test_one_picture_under_two_labels_is_refused_both_times() -> None:
    refusals = Refusals()
    found = [item("P", "a", name="one"), item("P", "b", name="two"), item("Q", "a"), item("R", "b")]
    assert len(assemble(found, OPTIONS, refusals).order) == 2
    assert [(refused.item, refused.reason) for refused in refusals.listed] == [
        ("one", "CONFLICTING_LABELS"),
        ("two", "CONFLICTING_LABELS"),
    ]
    assert "“b”" in refusals.listed[0].message


def test_two_names_of_one_label_are_listed() -> None:
    found = [item("P", "A", folder="65"), item("Q", "A", folder="A"), item("R", "b")]
    with pytest.raises(InvalidInput) as caught:
        assemble_items(found)
    assert "“65”" in caught.value.description and "“A”" in caught.value.description


@pytest.mark.parametrize("labels", ["", "a", "aaa"])
def test_less_than_two_labels(labels: str) -> None:
    with pytest.raises(InvalidInput, match="at least two labels are needed"):
        assemble_items([item(f"{i}", label) for i, label in enumerate(labels)])


def test_writers_are_numbered_and_unknown_ones_are_minus_one() -> None:
    found = assemble_items([item("P", "a", writer="7"), item("Q", "b", writer="12"), item("R", "b")])
    assert found.writers == 2 and sorted(found.writer_ids) == [-1, 0, 1]


def test_the_first_thousand_refusals_are_kept() -> None:
    refusals = Refusals()
    found = [item("P", "ab"[i % 2], name=f"{i}") for i in range(1500)]
    assemble([*found, item("Q", "a"), item("R", "b")], OPTIONS, refusals)
    assert (refusals.total, len(refusals.listed)) == (1500, MAX_LISTED_ITEMS)


def test_conflicts_are_listed_before_all_others() -> None:
    refusals = Refusals()
    for i in range(1500):
        refusals.add(RefusedDrawing(f"{i}.png", "INVALID_INPUT", "is damaged"))
    conflict = RefusedDrawing("a/1.png", CONFLICT, "the same picture also occurs as “b”")
    refusals.add(conflict)
    assert refusals.listed[0] == conflict and len(refusals.listed) == MAX_LISTED_ITEMS
