"""The page's two languages say the same things."""

from __future__ import annotations

import json
import re
from pathlib import Path

import haleganada_client.web as web_package
import pytest

FOLDER = Path(web_package.__file__).parent
PREFIX = "export default "


def table(language: str) -> dict[str, str]:
    """The words of all pages, in the order of their files."""
    words: dict[str, str] = {}
    for path in sorted((FOLDER / "static").glob(f"words*.{language}.js")):
        source = path.read_text(encoding="utf-8")
        assert source.startswith(PREFIX)
        more: dict[str, str] = json.loads(source.removeprefix(PREFIX))
        assert not words.keys() & more.keys()
        words |= more
    return words


def sources() -> str:
    scripts = [path for path in (FOLDER / "static").rglob("*.js") if not path.name.startswith("words.")]
    own = [path for path in scripts if path.parent.name != "vendor"]
    return "\n".join(path.read_text(encoding="utf-8") for path in [*own, *(FOLDER / "templates").glob("*.html")])


def test_same_words_with_the_same_gaps() -> None:
    english, kannada = table("en"), table("kn")
    assert list(english) == list(kannada)
    for word, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", kannada[word])), word


@pytest.mark.parametrize("language", ["en", "kn"])
def test_what_depends_on_a_number_stands_behind_it(language: str) -> None:
    for word, text in table(language).items():
        assert len(re.findall(r"\{\w+\}|\{\w+\|[^{|}]+\|[^{|}]+\}", text)) == text.count("{"), word
        assert all(f"{{{name}}} {{{name}|" in text for name in re.findall(r"\{(\w+)\|", text)), word


@pytest.mark.parametrize("language", ["en", "kn"])
def test_no_word_is_empty(language: str) -> None:
    assert all(text.strip() for text in table(language).values())


def test_kannada_is_kannada() -> None:
    latin = [text for text in table("kn").values() if not re.search(r"[\u0c80-\u0cff]", text)]
    assert latin == []


def test_every_word_is_used_and_every_used_word_is_there() -> None:
    used = set(re.findall(r'(?:say\(|data-word(?:-label)?=)"(\w+)"', sources()))
    assert used <= set(table("en"))
    mentioned = set(re.findall(r'"(\w+)"', sources()))
    computed = {word for word in table("en") if word.startswith("export_")}  # one for each format
    assert set(table("en")) - mentioned - computed == set()
