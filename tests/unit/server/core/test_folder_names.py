"""What folders that are named by numbers mean: nothing is guessed without a word."""

from __future__ import annotations

import pytest
from haleganada_client.cli.files import label_folders
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.folder_names import (
    FolderNames,
    describe_code_points,
    find_unknown_folder,
    list_code_points,
    parse_folder_name,
)

CLASS_NUMBERS = [
    [str(number) for number in range(62)],
    ["10", "11", "12"],
    ["65", "66", "31"],
    ["007", "065"],
    ["40", "41"],  # brackets
    ["127", "128"],
    ["65", "1114112"],
]
CODE_POINTS = [["65", "66"], ["3205", "3206"], ["0", "9", "65"], ["48", "97"]]


@pytest.mark.parametrize("names", CLASS_NUMBERS, ids=lambda names: names[-1])
def test_what_looks_like_class_numbers_stops_with_both_readings(names: list[str]) -> None:
    with pytest.raises(InvalidInput, match=r"as text, (\d+) is the label “\1”, as a code point it is .*folder_names"):
        list_code_points(names, FolderNames.AUTO)
    with pytest.raises(ValueError, match=r"as text, (\d+) is the label “\1”, as a code point it is .*--folder-names"):
        label_folders.list_code_points(names, "auto")
    assert list_code_points(names, FolderNames.TEXT) == label_folders.list_code_points(names, "text") == []
    assert [parse_folder_name(name, FolderNames.TEXT) for name in names] == names
    assert [label_folders.parse_label(name, "text") for name in names] == names


@pytest.mark.parametrize("names", CODE_POINTS, ids=lambda names: names[-1])
def test_what_is_read_as_code_points_is_told(names: list[str]) -> None:
    numbers = list_code_points(names, FolderNames.AUTO)
    assert numbers == [name for name in names if len(name) > 1] == label_folders.list_code_points(names, "auto")
    said = describe_code_points(numbers)
    assert (
        all(f"{number} is “{chr(int(number))}”" in said for number in numbers)
        and "text for the setting folder_names" in said
    )


def test_the_choice_of_code_points_is_followed() -> None:
    assert list_code_points(["40", "65"], FolderNames.CODE_POINTS) == ["40", "65"]
    assert parse_folder_name("40", FolderNames.CODE_POINTS) == "("


@pytest.mark.parametrize("names", [["ಅ", "U+0C85", "a1"], ["0", "1", "9"], []], ids=["text", "digits", "nothing"])
def test_other_names_are_no_question(names: list[str]) -> None:
    assert list_code_points(names, FolderNames.AUTO) == []


@pytest.mark.parametrize(
    ("names", "unknown"),
    [
        (["65", "66", "999"], "999"),
        (["0", "61", "999"], "999"),
        (["ಅ", "999"], "999"),
        (["997", "998", "999"], ""),  # classes up to 999, or Coptic letters
        (["65", "unknown"], ""),
    ],
    ids=str,
)
def test_999_is_the_class_of_no_character_where_it_follows_no_998(names: list[str], unknown: str) -> None:
    assert find_unknown_folder(names) == unknown
    assert [name for name in names if label_folders.is_unknown_folder(name, names)] == [unknown] * bool(unknown)


def test_another_folder_of_no_character_is_chosen_by_name() -> None:
    assert find_unknown_folder(["65", "999", "junk"], "junk") == "junk"
    with pytest.raises(InvalidInput, match="is “junk”, but no folder"):
        find_unknown_folder(["65", "999"], "junk")
