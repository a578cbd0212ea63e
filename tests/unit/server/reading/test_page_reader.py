"""Pages of documents are read as a whole."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import NotFound, Precondition
from haleganada_server.core.reading.options import PreparationStep, ReadMode, ReadOptions, TextLayer
from haleganada_server.core.reading.page import TEXT_LAYER, TextLine
from haleganada_server.reading.engines import find_engine, list_engines
from haleganada_server.reading.engines.tesseract_command import ask_installation
from haleganada_server.reading.layout.lines import bounds
from haleganada_server.reading.page_reader import check_options, read_page
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tests.unit.server.reading.pages import draw_kannada, draw_page, find_font, find_kannada_font, text_of

SIZE = (1000, 400)
LAYER = TextLine(text="a layer", polygon=((0, 0), (9, 0), (9, 9), (0, 9)), engine=TEXT_LAYER)


@dataclass
class OnePage:
    """A document of one page."""

    picture: NDArray[np.uint8]
    layer: list[TextLine] = field(default_factory=list)
    pages_total: int = 1

    def draw(self, page: int) -> NDArray[np.uint8]:  # noqa: ARG002
        return self.picture

    def text_lines(self, page: int) -> list[TextLine]:  # noqa: ARG002
        return self.layer

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def needs_engines() -> None:
    if not find_engine("rapidocr").describe().installed:
        pytest.skip("rapidocr is not installed")


def test_reads_a_page_and_says_who_read_it_and_why() -> None:
    text = text_of(5, words=8)

    reading = read_page(OnePage(np.asarray(draw_page(text, SIZE))), 1, ReadOptions())

    assert reading.text == "\n".join(text) + "\n"
    assert (reading.width, reading.height) == SIZE
    assert reading.elapsed_ms > 0
    (block,) = reading.blocks
    assert block.choice is not None
    assert (block.choice.engine, block.choice.mode) == ("rapidocr", ReadMode.PRINTED)
    assert "confidence" in block.choice.reason or "is not installed" in block.choice.reason
    assert {line.engine for line in reading.lines} == {"rapidocr"}


def test_everything_is_where_the_page_has_it_though_the_page_lies_on_its_side() -> None:
    upright = draw_page(text_of(8, words=8), (1000, 560))
    page = np.asarray(upright.rotate(90, expand=True))

    reading = read_page(OnePage(page), 1, ReadOptions(engine="rapidocr"))

    assert reading.turn_degrees == 90
    assert (reading.width, reading.height) == (560, 1000)
    assert len(reading.lines) == 8
    for line in reading.lines:
        for word in line.words:
            left, top, right, bottom = (round(edge) for edge in bounds([word.polygon]))
            assert bottom - top > 0
            assert page[top:bottom, left:right].min() < 100, f"no ink where {word.text} is"
    assert reading.lines[0].polygon[0][1] > reading.lines[0].polygon[1][1], "it begins below and runs upwards"


def test_a_text_layer_is_used_or_replaced_as_asked() -> None:
    document = OnePage(np.asarray(draw_page(["many people", "look at it"], (500, 300))), [LAYER])

    used = read_page(document, 1, ReadOptions())
    replaced = read_page(document, 1, ReadOptions(text_layer=TextLayer.REPLACE))

    assert used.text == "a layer\n"
    assert [line.engine for line in used.lines] == [TEXT_LAYER]
    assert used.turn_degrees is None
    assert replaced.text == "many people\nlook at it\n"


def test_lines_are_found_without_reading_them() -> None:
    text = text_of(4)
    document = OnePage(np.asarray(draw_page(text, SIZE)), [LAYER])

    reading = read_page(document, 1, ReadOptions(segment_only=True))

    assert [(line.text, line.engine) for line in reading.lines] == [("", "")] * 4
    assert [len(line.words) for line in reading.lines] == [len(line.split()) for line in text]
    for line in reading.lines:
        left, top, right, bottom = bounds([line.polygon])
        for word in line.words:
            x, y = np.mean(word.polygon, axis=0)
            assert not word.text and left < x < right and top < y < bottom


def test_steps_can_be_skipped_and_seen() -> None:
    page = np.asarray(draw_page(text_of(3), SIZE).rotate(180))

    reading = read_page(
        OnePage(page), 1, ReadOptions(skipped_steps=frozenset({PreparationStep.TURN}), debug=True, engine="rapidocr")
    )

    assert reading.turn_degrees is None
    assert {step.step for step in reading.step_pictures} == {"polarity", "skew", "light", "ruled-lines", "columns"}


def test_a_blank_page_has_no_text() -> None:
    reading = read_page(OnePage(np.full((300, 300, 3), 255, np.uint8)), 1, ReadOptions())

    assert (reading.text, reading.blocks) == ("", ())


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the distributions with our own models are not installed."""
    monkeypatch.setitem(sys.modules, "haleganada_kannada", None)
    monkeypatch.setitem(sys.modules, "haleganada_latin_hand", None)


@pytest.fixture
def kannada_engine() -> str:
    """The engine that reads Kannada here."""
    return "kannada-print" if find_engine("kannada-print").describe().installed else "tesseract"


@pytest.mark.usefixtures("no_model")
def test_kannada_goes_to_tesseract_where_only_that_is_installed() -> None:
    page = draw_kannada(5, find_kannada_font())

    reading = read_page(OnePage(np.asarray(page)), 1, ReadOptions())

    assert "ಕನ್ನಡ" in reading.text
    assert {block.choice.engine for block in reading.blocks if block.choice} == {"tesseract"}


@pytest.fixture
def no_tesseract(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("PATH", str(tmp_path))
    ask_installation.cache_clear()
    yield
    ask_installation.cache_clear()


@pytest.mark.usefixtures("no_tesseract")
def test_kannada_goes_to_our_own_model_where_only_that_is_installed() -> None:
    if not find_engine("kannada-print").describe().installed:
        pytest.skip("the model of Kannada print is not installed")
    page = np.asarray(draw_kannada(5, find_font()))

    for options in (ReadOptions(), ReadOptions(languages=("kn",)), ReadOptions(mode=ReadMode.PRINTED)):
        reading = read_page(OnePage(page), 1, options)
        assert "ಕನ್ನಡ" in reading.text
        assert {block.choice.engine for block in reading.blocks if block.choice} == {"kannada-print"}


@pytest.mark.usefixtures("no_tesseract", "no_model")
def test_says_what_is_missing_for_a_better_reading() -> None:
    reading = read_page(OnePage(np.asarray(draw_page(["dogs", "and a fox"], (400, 300)))), 1, ReadOptions())

    assert {block.choice.engine for block in reading.blocks if block.choice} == {"rapidocr"}
    reasons = [block.choice.reason for block in reading.blocks if block.choice]
    assert all("Tesseract is not installed (apt install" in reason for reason in reasons)
    assert all("Kannada print is not installed (" in reason for reason in reasons)
    assert all("Latin handwriting is not installed (" in reason for reason in reasons)


def test_what_cannot_be_read_is_refused_with_a_reason() -> None:
    with pytest.raises(Precondition) as taught:
        check_options(ReadOptions(mode=ReadMode.TAUGHT))
    with pytest.raises(NotFound, match="name rapidocr, kannada-print, latin-hand or tesseract") as unknown:
        check_options(ReadOptions(engine="abbyy"))
    with pytest.raises(Precondition) as language:
        check_options(ReadOptions(engine="rapidocr", languages=("kn",)))
    with pytest.raises(Precondition, match=r"tlh") as no_engine:
        check_options(ReadOptions(languages=("en", "tlh")))

    assert taught.value.reason is Reason.MODE_UNAVAILABLE
    assert unknown.value.reason is Reason.ENGINE_NOT_FOUND
    assert language.value.reason is Reason.LANGUAGE_NOT_INSTALLED
    assert no_engine.value.reason in {Reason.LANGUAGE_NOT_INSTALLED, Reason.ENGINE_NOT_INSTALLED}


def test_handwriting_that_no_engine_knows_is_read_by_one_for_print_which_says_so(kannada_engine: str) -> None:
    page = draw_kannada(3, find_kannada_font())

    reading = read_page(OnePage(np.asarray(page)), 1, ReadOptions(mode=ReadMode.HANDWRITTEN, languages=("kn",)))

    assert "ಕನ್ನಡ" in reading.text
    (choice,) = {block.choice for block in reading.blocks}
    assert choice is not None
    assert (choice.engine, choice.mode) == (kannada_engine, ReadMode.PRINTED)
    assert "no engine here reads handwritten text in kn" in choice.reason


def test_no_language_that_was_asked_for_is_left_out_for_a_mode() -> None:
    page = draw_kannada(3, find_kannada_font())

    reading = read_page(OnePage(np.asarray(page)), 1, ReadOptions(mode=ReadMode.HANDWRITTEN, languages=("en", "kn")))

    assert "ಕನ್ನಡ" in reading.text


def test_lists_the_engines_that_auto_prefers_first() -> None:
    assert [info.engine for info in list_engines()] == [
        "rapidocr",
        "kannada-print",
        "latin-hand",
        "tesseract",
        "taught",
    ]
    assert all(info.install_hint for info in list_engines())


def test_a_quotation_in_another_script_goes_to_the_engine_that_is_surer_of_it(kannada_engine: str) -> None:
    page = draw_kannada(5, find_kannada_font())
    draw_page(["look at dogs by large fireplaces"], at=(60, 170), height=32, page=_without(page, 3))

    reading = read_page(OnePage(np.asarray(page)), 1, ReadOptions())

    own = kannada_engine
    assert [line.engine for line in reading.lines] == [own, own, "rapidocr", own, own]
    assert reading.lines[2].text == "look at dogs by large fireplaces"
    assert [block.choice.engine for block in reading.blocks if block.choice] == [own, "rapidocr", own]


def test_words_in_another_script_are_read_by_the_engine_that_is_surer_of_them() -> None:
    font = find_kannada_font()
    page = _without(draw_kannada(5, font), 3)
    ImageDraw.Draw(page).text((60, 170), "ಕನ್ನಡ ಭಾಷೆಯ", fill="black", font=ImageFont.truetype(str(font), 34))
    draw_page(["many people wonder about fireplaces"], at=(330, 170), height=32, page=page)

    reading = read_page(OnePage(np.asarray(page)), 1, ReadOptions())

    assert reading.lines[2].text == "ಕನ್ನಡ ಭಾಷೆಯ many people wonder about fireplaces"
    assert [word.text for word in reading.lines[2].words] == reading.lines[2].text.split()


def _without(page: Image.Image, row: int) -> Image.Image:
    """The page of draw_kannada without one of its lines, from 1."""
    page.paste("white", (0, 50 + 60 * (row - 1) - 5, page.width, 50 + 60 * row - 5))
    return page
