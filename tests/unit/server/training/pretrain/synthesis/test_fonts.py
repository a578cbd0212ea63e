"""Scripts and fonts that training uses, and those that it must not."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from haleganada_server.training.pretrain.synthesis.fonts import SCRIPTS, font_license, list_syllables
from haleganada_server.training.pretrain.synthesis.library import find_font_files

BY_NAME = {s.name: s for s in SCRIPTS}


def test_kannada_has_all_simple_syllables() -> None:
    texts = {u.text for u in list_syllables(BY_NAME["Kannada"])}
    assert {"ಕ", "ಕಿ", "ಳೂ", "ಕ್ಕ", "ಅ", "೯", "ಱ"} <= texts
    assert len(texts) > 700


def test_neighbors_share_a_base_or_a_sign() -> None:
    unit = next(u for u in list_syllables(BY_NAME["Kannada"]) if u.text == "ಕಿ")
    assert (unit.base, unit.sign) == ("ಕ", "ಿ")


def test_held_out_scripts_are_excluded() -> None:
    forbidden = ("DEVANAGARI", "ARMENIAN", "BALINESE", "TIFINAGH", "HANGUL", "ARAMAIC")
    for script in SCRIPTS:
        for unit in list_syllables(script):
            assert not unicodedata.name(unit.text[0], "").startswith(forbidden), unit


def test_every_font_found_has_a_license(tmp_path: Path) -> None:
    for name in ("NotoSansKannada-Regular.ttf", "Gubbi.ttf", "Unknown.ttf"):
        (tmp_path / name).touch()
    found = find_font_files(tmp_path)
    assert sorted(found) == ["Gubbi.ttf", "NotoSansKannada-Regular.ttf"]
    assert {font_license(p) for p in found.values()} == {"OFL-1.1", "GPL-2.0-or-later with font exception"}
