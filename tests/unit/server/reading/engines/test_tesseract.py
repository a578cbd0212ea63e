"""Tesseract by its command, on pages that are drawn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.reading.engines import find_engine
from haleganada_server.reading.engines.port import EngineRequest, TextEngine
from haleganada_server.reading.engines.tesseract_command import ask_installation
from haleganada_server.reading.layout.lines import bounds

from tests.unit.server.reading.pages import draw_kannada, draw_page, find_kannada_font, text_of

SIZE = (1100, 420)
ENGLISH = EngineRequest(mode=ReadMode.PRINTED, languages=("en",))


@pytest.fixture
def fresh() -> Iterator[None]:
    """What is installed is looked up anew, before and after the test."""
    ask_installation.cache_clear()
    yield
    ask_installation.cache_clear()


def test_reads_every_line_where_it_stands(tesseract: TextEngine) -> None:
    text = text_of(4)

    lines = tesseract.read_page(np.asarray(draw_page(text, SIZE)), ENGLISH)

    assert [line.text for line in lines] == text
    for number, line in enumerate(lines):
        _, top, _, bottom = bounds([line.polygon])
        assert top < 150 + 42 * number + 16 < bottom
        assert 0.7 < (line.confidence or 0) <= 1
        assert " ".join(word.text for word in line.words) == line.text
        assert all("".join(glyph.text for glyph in word.glyphs) == word.text for word in line.words)


def test_reads_many_lines_at_once_each_where_it_stands(tesseract: TextEngine) -> None:
    text = text_of(3, words=6)
    pictures = [np.asarray(draw_page([line], (900, 60), (20, 15), 28)) for line in text]

    lines = tesseract.read_lines([*pictures, np.full((50, 400, 3), 255, np.uint8)], ENGLISH)

    assert [line.text for line in lines] == [*text, ""]
    for line, picture in zip(lines, pictures, strict=False):
        ink = np.flatnonzero((picture < 128).any(axis=(0, 2)))
        assert bounds([line.words[0].polygon])[0] == pytest.approx(ink[0], abs=4)
        assert bounds([line.words[-1].polygon])[2] == pytest.approx(ink[-1], abs=4)


def test_finds_lines_without_reading_them(tesseract: TextEngine) -> None:
    request = EngineRequest(mode=ReadMode.PRINTED, languages=("en",), segment_only=True)

    lines = tesseract.read_page(np.asarray(draw_page(text_of(5), SIZE)), request)

    assert len(lines) == 5
    assert {(line.text, line.confidence, line.engine) for line in lines} == {("", None, "")}
    assert all(len(line.words) == 11 and line.words[0].glyphs and not line.words[0].text for line in lines)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (64, 64)])
def test_an_empty_picture_of_any_size_has_no_lines(tesseract: TextEngine, size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 255, np.uint8)

    assert tesseract.read_page(picture, ENGLISH) == []
    assert [line.text for line in tesseract.read_lines([picture], ENGLISH)] == [""]


def test_says_which_package_has_a_language(tesseract: TextEngine) -> None:
    with pytest.raises(Precondition, match="has no tlh and zh here; run apt install tesseract-ocr-tlh") as caught:
        tesseract.check(("en", "tlh", "zh"))
    assert caught.value.reason is Reason.LANGUAGE_NOT_INSTALLED


def test_a_language_is_never_taken_for_an_option(tesseract: TextEngine) -> None:
    for name in ("--version", "../eng", "en+kn", "eng;", ""):
        with pytest.raises(Precondition, match="name languages by ISO 639 codes"):
            tesseract.check((name,))


def test_finds_the_script_itself_where_many_languages_are_installed(
    tesseract: TextEngine, fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    models = Path(os.environ.get("TESSDATA_PREFIX", "/usr/share/tesseract-ocr/5/tessdata"))
    if not all((models / f"{name}.traineddata").exists() for name in ("eng", "kan", "osd")):
        pytest.skip("the models of Tesseract are not where Debian has them, or Kannada is not among them")
    names = {"eng": "eng", "osd": "osd", "kan": "kan", "afr": "eng", "hin": "eng", "deu": "eng"}
    for name, of in names.items():
        (tmp_path / f"{name}.traineddata").symlink_to(models / f"{of}.traineddata")
    (tmp_path / "configs").symlink_to(models / "configs")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    ask_installation.cache_clear()
    page = np.asarray(draw_kannada(5, find_kannada_font()))

    lines = tesseract.read_page(page, EngineRequest(mode=ReadMode.PRINTED))

    assert set(tesseract.describe().languages) == {"en", "kn", "af", "hi", "de"}
    assert len(lines) == 5
    assert all("ಕನ್ನಡ" in line.text for line in lines)


def test_says_what_to_install_where_there_is_no_command(
    fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    engine = find_engine("tesseract")

    assert not engine.describe().installed
    with pytest.raises(Precondition, match="apt install tesseract-ocr tesseract-ocr-hin tesseract-ocr-eng "):
        engine.check(("hi", "en"))
    with pytest.raises(Precondition, match="apt install tesseract-ocr tesseract-ocr-kan ") as caught:
        engine.read_page(np.full((50, 50, 3), 255, np.uint8), EngineRequest(mode=ReadMode.PRINTED))
    assert caught.value.reason is Reason.ENGINE_NOT_INSTALLED


def test_a_command_that_fails_once_is_asked_again(
    tesseract: TextEngine, fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = tmp_path / "tesseract"
    command.write_text("#!/bin/sh\nexit 1\n")
    command.chmod(0o755)
    with monkeypatch.context() as broken:
        broken.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        assert not tesseract.describe().installed
    assert tesseract.describe().installed
