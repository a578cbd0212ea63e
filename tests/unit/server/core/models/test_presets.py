"""Facts about presets, as a server without torch lists them."""

from __future__ import annotations

import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.models.presets import PRESET_FACTS, preset_facts


def test_presets_are_found_by_name_and_listed_by_name() -> None:
    assert list(PRESET_FACTS) == sorted(PRESET_FACTS)
    for name, facts in PRESET_FACTS.items():
        assert facts.name == name
        assert preset_facts(name) is facts


def test_the_error_for_an_unknown_preset_lists_all_presets() -> None:
    with pytest.raises(InvalidInput, match=r"resnet17.*cnn36, .*resnet18, .*tiny-cnn") as caught:
        preset_facts("resnet17")
    assert caught.value.field == "preset"


def test_the_preprocessing_of_each_preset_is_consistent() -> None:
    for facts in PRESET_FACTS.values():
        preprocessing = facts.preprocessing
        assert len(preprocessing.mean) == len(preprocessing.std) == preprocessing.channels
        assert preprocessing.channels == (3 if facts.pretrained else 1)
