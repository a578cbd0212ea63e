"""Our own models as engines: what they read, and what is told where they are not installed."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.lines.error_rates import ReadLine, measure_characters
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.reading.engines import find_engine
from haleganada_server.reading.engines.port import EngineRequest, TextEngine
from PIL import Image, ImageDraw, ImageFont

from tests.unit.server.reading.pages import draw_page, find_font

LINES = ("ಕನ್ನಡ ಭಾಷೆಯ ಪುಸ್ತಕಗಳು", "ರಾಜ್ಯದ ಚರಿತ್ರೆಯಲ್ಲಿ ೧೯೫೬", "ಹಳೆಯ ಬರಹಗಳ ಓದು")
KANNADA = EngineRequest(mode=ReadMode.PRINTED, languages=("kn",))


def find_installed(name: str) -> TextEngine:
    engine = find_engine(name)
    if not engine.describe().installed:
        pytest.skip(f"the model is not installed: {engine.describe().install_hint}")
    return engine


@pytest.fixture
def kannada_print() -> TextEngine:
    return find_installed("kannada-print")


@pytest.fixture
def latin_hand() -> TextEngine:
    return find_installed("latin-hand")


def draw(text: str) -> Image.Image:
    font = ImageFont.truetype(str(find_font()), 34)
    picture = Image.new("RGB", (int(font.getlength(text)) + 40, 70), "white")
    ImageDraw.Draw(picture).text((20, 12), text, fill="black", font=font)
    return picture


def test_reads_lines_of_kannada_print(kannada_print: TextEngine) -> None:
    read = kannada_print.read_lines([np.asarray(draw(line)) for line in LINES], KANNADA)
    pairs = [ReadLine(text, line.text) for text, line in zip(LINES, read, strict=True)]
    assert measure_characters(pairs).rate < 0.1, [line.text for line in read]
    assert {line.engine for line in read} == {"kannada-print"}
    assert [len(line.words) for line in read] == [len(line.text.split()) for line in read]


def test_finds_the_lines_of_a_page_by_another_engine(kannada_print: TextEngine) -> None:
    page = Image.new("RGB", (800, 400), "white")
    for number, line in enumerate(LINES):
        page.paste(draw(line), (60, 60 + 90 * number))
    read = kannada_print.read_page(np.asarray(page), KANNADA)
    rows = [round((min(y for _, y in line.polygon) - 72) / 90) for line in read]
    assert sorted(set(rows)) == [0, 1, 2], "a finder may part a line at wide gaps"
    words = {word for line in read for word in line.text.split()}
    assert len(words & set(" ".join(LINES).split())) >= 6


def test_is_no_engine_for_other_languages(kannada_print: TextEngine) -> None:
    kannada_print.check(("kn", "kan", "script/Kannada"))
    with pytest.raises(Precondition, match="cannot read en and ta") as refused:
        kannada_print.check(("en", "kn", "ta"))
    assert refused.value.reason is Reason.LANGUAGE_NOT_INSTALLED


def test_handwriting_is_read_by_itself_and_named_so(latin_hand: TextEngine) -> None:
    assert latin_hand.describe().modes == (ReadMode.HANDWRITTEN,)
    latin_hand.check(("fr", "en", "script/Latin"))
    with pytest.raises(Precondition, match="cannot read kn"):
        latin_hand.check(("kn",))
    texts = ("and a fox by the river", "trois petits chats")
    pictures = [np.asarray(draw_page([text], (400, 60), at=(20, 12))) for text in texts]
    read = latin_hand.read_lines(pictures, EngineRequest(mode=ReadMode.HANDWRITTEN, languages=("en", "fr")))
    pairs = [ReadLine(text, line.text) for text, line in zip(texts, read, strict=True)]
    assert measure_characters(pairs).rate < 0.1, [line.text for line in read]
    assert {line.engine for line in read} == {"latin-hand"}


@pytest.mark.parametrize(
    ("package", "name", "extra", "language"),
    [
        ("haleganada_kannada", "kannada-print", "kannada", "kn"),
        ("haleganada_latin_hand", "latin-hand", "latin-hand", "fr"),
    ],
)
def test_says_how_it_is_installed_where_it_is_not(
    monkeypatch: pytest.MonkeyPatch, package: str, name: str, extra: str, language: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    engine = find_engine(name)
    assert (engine.describe().installed, engine.describe().version, engine.describe().languages) == (False, "", ())
    request = EngineRequest(mode=engine.describe().modes[0], languages=(language,))
    with pytest.raises(Precondition, match=rf"\[{extra}\]") as refused:
        engine.read_lines([np.zeros((40, 40, 3), np.uint8)], request)
    assert refused.value.reason is Reason.ENGINE_NOT_INSTALLED
