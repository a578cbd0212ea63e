"""Models of lines as engines: what they read, where its words and glyphs are, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.errors import DataLoss, NotFound, Precondition
from haleganada_server.core.models.models import Models
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.line_models import LineModels
from haleganada_server.core.reading.options import LineDecoding, ReadMode, ReadOptions
from haleganada_server.core.reading.page import PageReading, TextLine
from haleganada_server.core.reading.ports import ReadPage
from haleganada_server.reading.engines.line_model import LineModelEngine
from haleganada_server.reading.engines.port import EngineRequest, Picture
from haleganada_server.runtime.classifier import OnnxClassifier
from haleganada_server.store.models import ModelFolders
from haleganada_server.vision import model_input

from tests.support.tiny_line_model import draw_blocks, write_line_model
from tests.support.tiny_model import TinyModel, write_tiny_model

PRINTED = EngineRequest(mode=ReadMode.PRINTED)


class Finder:
    """A TextEngine that finds lines where it is told."""

    id = "finder"

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self.boxes = boxes

    def describe(self) -> EngineInfo:
        raise NotImplementedError

    def check(self, languages: Sequence[str]) -> None:
        """Anything goes."""

    def read_page(self, _picture: Picture, request: EngineRequest) -> list[TextLine]:
        assert request.segment_only
        return [TextLine(text="", polygon=((a, b), (c, b), (c, d), (a, d))) for a, b, c, d in self.boxes]

    def read_lines(self, pictures: Sequence[Picture], _request: EngineRequest) -> list[TextLine]:
        return [TextLine(text="", polygon=((0, 0), (1, 0), (1, 1), (0, 1))) for _ in pictures]


@pytest.fixture(autouse=True)
def needs_opencv() -> None:
    pytest.importorskip("cv2")


def open_engine(folder: Path, *boxes: tuple[float, float, float, float]) -> LineModelEngine:
    return LineModelEngine("model:1", folder, Finder(*boxes))


def test_a_line_is_read_with_its_glyphs_in_their_places(tmp_path: Path) -> None:
    engine = open_engine(write_line_model(tmp_path))
    (line,) = engine.read_lines([draw_blocks("ulu")], PRINTED)
    assert (line.text, line.engine) == ("aba", "model:1")
    assert line.confidence == pytest.approx(1, abs=0.01)
    (word,) = line.words
    glyphs = [(glyph.text, np.mean([x for x, _ in glyph.polygon])) for glyph in word.glyphs]
    assert [text for text, _ in glyphs] == ["a", "b", "a"]
    assert [place for _, place in glyphs] == pytest.approx([24, 60, 96], abs=8)


def test_spaces_part_words_and_kannada_has_whole_clusters(tmp_path: Path) -> None:
    engine = open_engine(write_line_model(tmp_path, ("ಕಿ", "್ಷ"), kind="units"))
    (line,) = engine.read_lines([draw_blocks("ulu")], PRINTED)
    assert line.text == "ಕ್ಷಿಕಿ"
    assert [glyph.text for glyph in line.words[0].glyphs] == ["ಕ್ಷಿ", "ಕಿ"]
    (spaced,) = open_engine(write_line_model(tmp_path, ("x", " "))).read_lines([draw_blocks("ulu")], PRINTED)
    assert [word.text for word in spaced.words] == ["x", "x"]


def test_several_ways_to_read_a_line_are_told_and_a_lexicon_chooses_among_them(tmp_path: Path) -> None:
    engine = open_engine(write_line_model(tmp_path))
    faint = draw_blocks("ulu")
    faint[:16, 84:108] = 204  # hardly there
    (plain,) = engine.read_lines([faint], PRINTED)
    assert plain.alternatives == ()
    for lexicon in (("ab",), ("aba",)):
        request = EngineRequest(mode=ReadMode.PRINTED, decoding=LineDecoding(lexicon, 4))
        (line,) = engine.read_lines([faint], request)
        assert (line.text,) == (line.alternatives[0].text,) == lexicon
        assert {"ab", "aba"} <= {one.text for one in line.alternatives}
        assert sum(one.probability for one in line.alternatives) == pytest.approx(1)
        assert len(line.words[0].glyphs) == len(line.text)


def test_an_empty_line_has_no_text(tmp_path: Path) -> None:
    (line,) = open_engine(write_line_model(tmp_path)).read_lines([draw_blocks("  ")], PRINTED)
    assert (line.text, line.words) == ("", ())


def test_a_page_is_read_where_another_engine_finds_lines(tmp_path: Path) -> None:
    page = np.full((200, 300, 3), 255, np.uint8)
    first, second = draw_blocks("ul"), draw_blocks("lu")
    page[20:52, 10 : 10 + first.shape[1]] = first
    page[100:132, 10 : 10 + second.shape[1]] = second
    engine = open_engine(write_line_model(tmp_path), (10, 20, 94, 52), (10, 100, 94, 132), (150, 20, 250, 52))
    lines = engine.read_page(page, PRINTED)
    assert [line.text for line in lines] == ["ab", "ba"], "a line without text is left out"
    assert [min(y for _, y in line.polygon) for line in lines] == pytest.approx([20, 100], abs=4)
    outlines = engine.read_page(page, EngineRequest(mode=ReadMode.PRINTED, segment_only=True))
    assert [line.text for line in outlines] == ["", "", ""]


def test_a_damaged_model_is_told(tmp_path: Path) -> None:
    folder = write_line_model(tmp_path)
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(DataLoss, match="SHA-256"):
        open_engine(folder).read_lines([draw_blocks("u")], PRINTED)


class Pages:
    """A PageReader that keeps what it was asked."""

    count = 1

    def __init__(self) -> None:
        self.asked: list[ReadOptions] = []

    def count_pages(self, _document: Path, _cancellation: Cancellation) -> int:
        return 1

    def read_page(self, _document: Path, page: int, options: ReadOptions, _cancellation: Cancellation) -> ReadPage:
        self.asked.append(options)
        return ReadPage(PageReading(page=page, width=1, height=1, blocks=()), 1)


@pytest.fixture
def models(tmp_path: Path) -> Models:
    store = ModelFolders(tmp_path / "models", lambda: tmp_path / "draft", ())
    found = Models(store, lambda folder, card: OnnxClassifier(folder, card, model_input))
    found.register(write_line_model(tmp_path / "made"), "1" * 12)
    template = np.zeros((128, 128), np.uint8)
    template[20:100, 60:70] = 255
    found.register(write_tiny_model(tmp_path / "made", TinyModel({"I": template, "–": template.T.copy()})), "2" * 12)
    return found


def test_an_engine_is_found_by_the_name_or_the_id_of_its_model(models: Models) -> None:
    pages = Pages()
    reader = LineModels(pages, models)
    for name in ("blocks", "1" * 12):
        reader.read_page(Path("page"), 1, ReadOptions(engine=f"model:{name}"), NEVER)
        assert pages.asked[-1].engine == f"model:{'1' * 12}"
        assert (Path(pages.asked[-1].model_folder) / "model.onnx").exists()
    reader.read_page(Path("page"), 1, ReadOptions(engine="tesseract"), NEVER)
    assert pages.asked[-1] == ReadOptions(engine="tesseract")
    assert [(engine.engine, engine.display_name) for engine in reader.engines()] == [(f"model:{'1' * 12}", "blocks")]


def test_other_models_are_no_engines_and_models_of_lines_recognize_no_drawings(models: Models) -> None:
    reader = LineModels(Pages(), models)
    with pytest.raises(Precondition, match="reads no lines"):
        reader.read_page(Path("page"), 1, ReadOptions(engine="model:tiny"), NEVER)
    with pytest.raises(NotFound):
        reader.read_page(Path("page"), 1, ReadOptions(engine="model:none"), NEVER)
    with pytest.raises(Precondition, match="--engine model:blocks"):
        models.activate("default", "blocks")
    with pytest.raises(Precondition, match="reads lines"):
        models.predictor_for("default", "blocks")
