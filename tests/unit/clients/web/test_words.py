"""All languages of the page say the same things, and the page says nothing else."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import haleganada_client.web as web_package
import pytest
from haleganada_server.core.models.presets import PRESET_FACTS

FOLDER = Path(web_package.__file__).parent
I18N = FOLDER / "static" / "i18n"
LANGUAGES = re.findall(r'^  "?([\w-]+)"?: ".+",$', (I18N / "languages.js").read_text(encoding="utf-8"), re.MULTILINE)


def words(language: str) -> dict[str, str]:
    read: dict[str, str] = json.loads((I18N / f"{language}.json").read_text(encoding="utf-8"))
    return read


def templates() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (FOLDER / "templates").glob("*.html"))


def sources() -> str:
    scripts = [path for path in (FOLDER / "static").rglob("*.js") if path.parent.name != "vendor"]
    return "\n".join(path.read_text(encoding="utf-8") for path in scripts) + templates()


def test_every_language_has_a_file_and_every_file_a_line() -> None:
    assert {"en", "kn"} <= set(LANGUAGES)
    assert sorted(LANGUAGES) == sorted(path.stem for path in I18N.glob("*.json"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_same_words_with_the_same_gaps(language: str) -> None:
    english, other = words("en"), words(language)
    assert list(english) == list(other)
    for word, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", other[word])), word


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_depends_on_a_number_stands_behind_it(language: str) -> None:
    for word, text in words(language).items():
        assert len(re.findall(r"\{\w+\}|\{\w+\|[^{|}]+\|[^{|}]+\}", text)) == text.count("{"), word
        assert all(f"{{{name}}} {{{name}|" in text for name in re.findall(r"\{(\w+)\|", text)), word


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_empty(language: str) -> None:
    assert all(text.strip() for text in words(language).values())


def test_kannada_is_kannada() -> None:
    latin = [text for text in words("kn").values() if not re.search(r"[\u0c80-\u0cff]", text)]
    assert latin == []


def test_every_word_is_used_and_every_used_word_is_there() -> None:
    used = set(re.findall(r'(?:say\(|data-word(?:-label)?=)"(\w+)"', sources()))
    assert used <= set(words("en"))
    mentioned = set(re.findall(r'"(\w+)"', sources()))
    computed = {word for word in words("en") if word.startswith("export_")}  # one for each format
    alphabets = (FOLDER / "static" / "practice" / "alphabets.js").read_text(encoding="utf-8")
    computed |= set(re.findall(r'^  (\w+): "', alphabets, re.MULTILINE))
    assert set(words("en")) - mentioned - computed == set()


def test_templates_have_the_english_words() -> None:
    english = words("en")
    texts = re.findall(r'data-word="(\w+)"[^>]*>([^<]*)<', templates())
    labels = re.findall(r'data-word-label="(\w+)" aria-label="([^"]*)"', templates())
    assert texts and labels
    assert [(word, html.unescape(text)) for word, text in texts + labels if html.unescape(text) != english[word]] == []


def test_presets_are_described_as_the_server_does() -> None:
    form = (FOLDER / "static" / "jobs" / "training_form.js").read_text(encoding="utf-8")
    described = re.findall(r'^  "?([\w-]+)"?: "(preset\w+)",$', form, re.MULTILINE)
    assert {name: words("en")[word] for name, word in described} == {
        facts.name: facts.description for facts in PRESET_FACTS.values()
    }
