"""PP-OCR by rapidocr, on pages that are drawn."""

from __future__ import annotations

import socket
from itertools import pairwise

import numpy as np
import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.reading.engines.port import EngineRequest, TextEngine
from haleganada_server.reading.engines.rapidocr import RapidOcr
from haleganada_server.reading.layout.lines import bounds

from tests.unit.server.reading.pages import draw_page, text_of

SIZE = (1100, 420)
PRINTED = EngineRequest(mode=ReadMode.PRINTED)


def test_reads_every_line_where_it_stands(rapidocr: TextEngine) -> None:
    text = text_of(4)

    lines = rapidocr.read_page(np.asarray(draw_page(text, SIZE)), PRINTED)

    lines = sorted(lines, key=lambda line: line.polygon[0][1])
    assert [line.text for line in lines] == text
    for number, line in enumerate(lines):
        _, top, _, bottom = bounds([line.polygon])
        assert top < 150 + 42 * number + 16 < bottom
        assert 0.9 < (line.confidence or 0) <= 1


def test_tells_words_and_glyphs_apart(rapidocr: TextEngine) -> None:
    page = np.asarray(draw_page(["many brown foxes"], (600, 400)))

    (line,) = rapidocr.read_page(page, PRINTED)

    assert [word.text for word in line.words] == ["many", "brown", "foxes"]
    boxes = [bounds([word.polygon]) for word in line.words]
    for (_, _, right, _), (left, _, _, _) in pairwise(boxes):
        assert right < left
        assert page[150:190, round(right) + 1 : round(left) - 1].min() > 200, "ink between two words"
    for word in line.words:
        assert "".join(glyph.text for glyph in word.glyphs) == word.text
        centers = [(bounds([glyph.polygon])[0] + bounds([glyph.polygon])[2]) / 2 for glyph in word.glyphs]
        assert centers == sorted(centers)


def test_reads_cut_out_lines_of_any_size(rapidocr: TextEngine) -> None:
    text = text_of(3, seed=1, words=6)
    sizes = (20, 40, 60)
    pictures = [
        np.asarray(draw_page([line], (30 * size, 3 * size), (20, size), size))
        for line, size in zip(text, sizes, strict=True)
    ]

    lines = rapidocr.read_lines(pictures, EngineRequest(mode=ReadMode.HANDWRITTEN))

    assert [line.text for line in lines] == text


def test_finds_lines_without_reading_them(rapidocr: TextEngine) -> None:
    lines = rapidocr.read_page(
        np.asarray(draw_page(text_of(5), SIZE)), EngineRequest(mode=ReadMode.PRINTED, segment_only=True)
    )

    assert len(lines) == 5
    assert {(line.text, line.confidence, line.engine) for line in lines} == {("", None, "")}


@pytest.mark.parametrize("size", [(1, 1), (3, 2_000), (9_000, 3), (64, 64)])
def test_an_empty_picture_of_any_size_has_no_lines(rapidocr: TextEngine, size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 255, np.uint8)

    assert rapidocr.read_page(picture, PRINTED) == []
    assert [line.text for line in rapidocr.read_lines([picture], PRINTED)] == [""]


def test_needs_no_network(rapidocr: TextEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("it asked the network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    lines = RapidOcr().read_page(np.asarray(draw_page(["fireplaces"], (400, 300))), PRINTED)

    assert [line.text for line in lines] == ["fireplaces"]


def test_says_which_languages_it_cannot_read(rapidocr: TextEngine) -> None:
    rapidocr.check(("en", "fra"))
    with pytest.raises(Precondition, match="cannot read kn; ") as caught:
        rapidocr.check(("en", "kn"))
    assert caught.value.reason is Reason.LANGUAGE_NOT_INSTALLED
