"""Labels: one spelling for one character, anything harmless allowed, nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.labels import code_points, normalize_label, workspace_name
from haleganada_server.core.limits import MAX_LABEL_LENGTH
from hypothesis import given
from hypothesis import strategies as st

CONSONANTS = [chr(code) for code in range(0x0C95, 0x0CBA) if unicodedata.category(chr(code)) == "Lo"]
VOWEL_SIGNS = [
    chr(code)
    for code in range(0x0CBE, 0x0CCD)
    if unicodedata.category(
        chr(code),
    )
    in ("Mn", "Mc")
]


def test_two_encodings_are_one_label() -> None:
    assert normalize_label("ಕ\u0cc0") == normalize_label("ಕ\u0cbf\u0cd5")
    assert normalize_label("ಕ\u0ccb") == normalize_label("ಕ\u0cc6\u0cc2\u0cd5")


@pytest.mark.parametrize("consonant", CONSONANTS)
def test_every_kannada_syllable_in_any_form(consonant: str) -> None:
    for sign in VOWEL_SIGNS:
        for syllable in (consonant + sign, f"{consonant}\u0ccdಷ{sign}"):
            spelled = {
                normalize_label(unicodedata.normalize(form, syllable)) for form in ("NFC", "NFD", "NFKC", "NFKD")
            }
            assert len(spelled) == 1


@pytest.mark.parametrize(
    "label", ["a/b", "..", "CON", "<img src=x onerror=alert(1)>", "'; DROP TABLE", "ಕ್\u200dಷ", "👍🏽", "A", "a"]
)
def test_anything_harmless_is_a_label(label: str) -> None:
    assert normalize_label(label) == unicodedata.normalize("NFC", label)


@pytest.mark.parametrize("label", ["", " ", "a\nb", "a\x00", "\u2028", "\u202eabc", "\ud800", "\u200d", "x" * 65])
def test_forbidden_labels(label: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        normalize_label(label)
    assert refusal.value.field == "label"


@given(st.text(max_size=80))
def test_normalizing_is_idempotent_or_refused(text: str) -> None:
    try:
        label = normalize_label(text)
    except InvalidInput:
        return
    assert normalize_label(label) == label
    assert 1 <= len(label) <= MAX_LABEL_LENGTH


INVISIBLE = [
    *"\ufeff\u200b\u00ad\u2060\u200e\u200f\u061c\u180e\u2066\u2069\u034f",
    *"\u3164\u115f\u2800\ufe0f\U000e0061\u202a\u202c\u200c",
]


@pytest.mark.parametrize("mark", INVISIBLE, ids=lambda mark: f"U+{ord(mark):04X}")
def test_what_is_invisible_is_no_part_of_a_label(mark: str) -> None:
    for text in (f"{mark}ಅ", f"ಅ{mark}", f" {mark} {mark}ಅ{mark} \u00a0{mark}"):
        assert normalize_label(text) == "ಅ"
    with pytest.raises(InvalidInput, match="no visible character"):
        normalize_label(mark)


@pytest.mark.parametrize("mark", INVISIBLE[:-1], ids=lambda mark: f"U+{ord(mark):04X}")
def test_what_is_invisible_is_refused_inside(mark: str) -> None:
    with pytest.raises(InvalidInput, match=f"U\\+{ord(mark):04X}; it is invisible"):
        normalize_label(f"ಅ{mark}ಆ")


@pytest.mark.parametrize(
    "label",
    [
        "ಕ್\u200dಷ",
        "ಕ್\u200cಷ",
        "ന്\u200d",
        "क्\u200d",
        "\u200dه\u200d",
        "❤\ufe0f\u200d🔥",
        "1\ufe0f⃣",
        "葛\U000e0100",
        "👩\u200d👧",
        "🏴\U000e0067\U000e0062\U000e007f",
        "\u0600١",
    ],
)
def test_what_shapes_its_neighbors_stays(label: str) -> None:
    assert normalize_label(label) == label


@pytest.mark.parametrize(("text", "label"), [("ಅ\u200d", "ಅ"), ("ಕ್\u200c", "ಕ್"), ("❤\ufe0f", "❤"), ("\u200dಕ", "ಕ")])
def test_what_would_shape_nothing_is_cut_off(text: str, label: str) -> None:
    assert normalize_label(text) == label


def test_a_space_is_a_space() -> None:
    assert normalize_label("ಅ\u00a0old") == normalize_label("ಅ\u2003old") == "ಅ old"


@pytest.mark.parametrize("label", ["\ufffd", "caf\ufffd", "\ufffe", "a\U0001ffff", "ಅ\ufdd0"])
def test_what_is_no_character_is_refused(label: str) -> None:
    with pytest.raises(InvalidInput, match="U\\+"):
        normalize_label(label)


def test_case_is_kept() -> None:
    assert normalize_label("A") != normalize_label("a")


def test_code_points() -> None:
    assert code_points("ಕಿ") == ("U+0C95", "U+0CBF")


def test_an_empty_workspace_name_is_the_default() -> None:
    assert workspace_name("") == "default"
