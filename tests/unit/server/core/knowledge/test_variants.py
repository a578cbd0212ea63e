"""Forms and canonical labels: one level deep, no cycles, whatever the order of links."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from haleganada_server.core.errors import Precondition
from haleganada_server.core.knowledge.variants import Variants
from hypothesis import given
from hypothesis import strategies as st

pairs = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=20)


def link_all(links: list[tuple[str, str]]) -> Variants:
    variants = Variants()
    for form, canonical in links:
        try:
            variants = variants.with_link(form, variants.resolve(form, canonical))
        except Precondition:
            continue
    return variants


@given(pairs)
def test_a_canonical_label_stands_for_itself(links: list[tuple[str, str]]) -> None:
    variants = link_all(links)
    for label in "abcdef":
        head = variants.canonical(label)
        assert variants.canonical(head) == head
        assert variants.forms(label)[0] == head and label in variants.forms(label)


@given(pairs)
def test_groups_are_what_the_links_say(links: list[tuple[str, str]]) -> None:
    variants = link_all(links)
    assert Variants(MappingProxyType(dict(variants.canonical_of))) == variants
    for label in "abcdef":
        canonical = variants.canonical(label)
        forms = [form for form, head in variants.canonical_of.items() if head == canonical]
        assert variants.forms(label) == (canonical, *forms)
    assert variants.count_groups() == sum(
        len(variants.forms(label)) > 1 for label in set("abcdef") - {*variants.canonical_of}
    )


@given(pairs, st.sampled_from("abcdef"), st.sampled_from("abcdef"))
def test_link_and_unlink_leave_no_trace(links: list[tuple[str, str]], form: str, canonical: str) -> None:
    before = link_all(links)
    try:
        target = before.resolve(form, canonical)
    except Precondition:
        return
    if form not in before.canonical_of:
        assert before.with_link(form, target).with_link(form, "") == before


def test_what_is_refused() -> None:
    variants = Variants().with_link("ಕಿ", "ಕ")
    for form, canonical in (("ಕ", "ಕ"), ("ಕ", "ಕಿ"), ("ಕ", "ಖ"), ("ಕಿ", "ಖ")):
        with pytest.raises(Precondition):
            variants.resolve(form, canonical)
    assert variants.resolve("ಕೀ", "ಕಿ") == "ಕ"  # a form of a form is a form of its canonical label
