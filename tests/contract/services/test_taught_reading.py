"""Reading pages in the script that a workspace was taught, through the generated stubs over loopback."""

from __future__ import annotations

import hashlib

import pytest
from grpc import StatusCode
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import reading_service_pb2 as pb

from tests.conftest import RunningServer
from tests.contract.reading.taught_loop import LETTERS, TEXT, glyphs_of, teach, write
from tests.contract.reading.taught_pages import Page
from tests.contract.refusals import expect_refusal

pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")


def read(server: RunningServer, workspace: str, document: bytes, **options: object) -> pb.PageReading:
    chosen = pb.ReadOptions(mode=pb.READ_MODE_TAUGHT, workspace=workspace, **options)  # type: ignore[arg-type]
    return server.reading.Read(pb.ReadRequest(document=document, options=chosen)).page


def test_a_page_is_read_by_what_was_taught(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    page = write(TEXT)

    reading = read(server, workspace, page.to_png())

    assert reading.text.splitlines() == list(TEXT)
    glyphs = glyphs_of(reading)
    for glyph, box in zip(glyphs, page.boxes, strict=True):
        found = [(point.x, point.y) for point in glyph.polygon.points]
        assert found[0] == pytest.approx(box[:2], abs=5) and found[2] == pytest.approx(box[2:], abs=5)
        assert glyph.candidates[0].text == glyph.text and 0.5 < glyph.confidence <= 1
        assert not glyph.HasField("glyph_id")  # it is not kept
    assert {line.engine for block in reading.blocks for line in block.lines} == {"taught"}
    assert (reading.width, reading.height) == page.picture.size and reading.elapsed_ms > 0


def test_what_was_not_taught_keeps_its_place(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "ಕಖಗಘ")
    page = write(("ಕಖಗ ಘಙ", "ಙಗಕ ಖಗಘ ಕ"))

    reading = read(server, workspace, page.to_png())

    assert reading.text.splitlines() == ["ಕಖಗ ಘ\ufffd", "\ufffdಗಕ ಖಗಘ ಕ"]
    unread = [glyph for glyph in glyphs_of(reading) if not glyph.text]
    assert len(unread) == 2 and all(glyph.confidence < 0.5 for glyph in unread)


def test_a_workspace_that_knows_nothing_finds_the_glyphs(server: RunningServer, workspace: str) -> None:
    page = write(TEXT)
    glyphs = glyphs_of(read(server, workspace, page.to_png()))
    assert len(glyphs) == len(page.boxes) and not any(glyph.text or glyph.candidates for glyph in glyphs)


def test_one_more_lesson_counts_at_once(server: RunningServer, workspace: str) -> None:
    page = write(("ಕಖಗ ಙ",)).to_png()
    teach(server, workspace, "ಕಖಗ")
    assert read(server, workspace, page).text == "ಕಖಗ \ufffd\n"
    teach(server, workspace, "ಙ")
    assert read(server, workspace, page).text == "ಕಖಗ ಙ\n"


def test_letters_that_touch_are_parted(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    page = write((*TEXT, *TEXT))
    page.write([[LETTERS[letter](3.0) for letter in word] for word in ("ಕಗ", "ಘಙ", "ಖಕ")], gap=-4)
    assert read(server, workspace, page.to_png()).text.splitlines()[-1] == "ಕಗ ಘಙ ಖಕ"


def test_lines_that_rise_are_read_in_their_order(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    page = write((*TEXT, *TEXT))
    page.turn(4)
    assert read(server, workspace, page.to_png()).text.splitlines() == [*TEXT, *TEXT]


def test_names_of_signs_are_parted(server: RunningServer, workspace: str) -> None:
    names = {"ಕ": "plus", "ಖ": "sun"}
    for letter, name in names.items():
        request = ocr.TrainRequest(workspace=workspace, label=name, glyph=LETTERS[letter](0.0))
        server.ocr.Train(request)
    assert read(server, workspace, write(("ಕಖ ಕ",)).to_png()).text == "plus sun  plus\n"


def test_glyphs_are_found_without_reading_them(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    page = write(TEXT)
    reading = read(server, workspace, page.to_png(), segment_only=True)
    assert not reading.text.strip() and len(glyphs_of(reading)) == len(page.boxes)


def test_an_empty_page_has_no_text(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "ಕ")
    reading = read(server, workspace, Page().to_png())
    assert reading.text == "" and not reading.blocks and reading.width == 1200


def test_pages_are_read_in_a_stream(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    options = pb.ReadOptions(mode=pb.READ_MODE_TAUGHT, workspace=workspace)
    document = write(TEXT).to_png()
    requests = [
        pb.ReadStreamRequest(start=pb.DocumentStart(document_id="a", options=options)),
        pb.ReadStreamRequest(chunk=document),
        pb.ReadStreamRequest(end=pb.DocumentEnd(sha256=hashlib.sha256(document).hexdigest())),
    ]
    answers = list(server.reading.ReadStream(iter(requests)))
    assert answers[0].page.page.text.splitlines() == list(TEXT)


def test_what_cannot_be_read_so(server: RunningServer, workspace: str) -> None:
    page = Page().to_png()
    by_an_engine = expect_refusal(lambda: read(server, workspace, page, engine="tiny"))
    assert (by_an_engine.code, by_an_engine.reason) == (StatusCode.FAILED_PRECONDITION, "MODE_UNAVAILABLE")
    nowhere = expect_refusal(lambda: read(server, "no such workspace", page))
    assert (nowhere.code, nowhere.reason) == (StatusCode.NOT_FOUND, "WORKSPACE_NOT_FOUND")


def test_lines_are_read_from_right_to_left(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    page = write(("ಗಖಕ ಙಘ", "ಘಗಖ ಕಙಙಕ"))

    reading = read(server, workspace, page.to_png(), reading_order=pb.READING_ORDER_RIGHT_TO_LEFT)

    assert reading.text.splitlines() == ["ಘಙ ಕಖಗ", "ಕಙಙಕ ಖಗಘ"]
    assert_boxes(reading, [page.boxes[i] for i in (4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 5)])


def test_every_other_line_is_read_backwards(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    page = write(("ಕಖಗ ಘಙ", "ಘಗಖ ಕಙಙಕ", "ಗಕಘಖ ಙಗ"))

    reading = read(server, workspace, page.to_png(), reading_order=pb.READING_ORDER_BOUSTROPHEDON)

    assert reading.text.splitlines() == ["ಕಖಗ ಘಙ", "ಕಙಙಕ ಖಗಘ", "ಗಕಘಖ ಙಗ"]
    assert_boxes(reading, [*page.boxes[:5], *page.boxes[11:4:-1], *page.boxes[12:]])


@pytest.mark.parametrize(
    ("order", "columns"),
    [
        (pb.READING_ORDER_COLUMNS_FROM_LEFT, ("ಕಖಗಘಙ", "ಙಙಕಖಗ", "ಗಕಘಖಙ")),
        (pb.READING_ORDER_COLUMNS_FROM_RIGHT, ("ಗಕಘಖಙ", "ಙಙಕಖಗ", "ಕಖಗಘಙ")),
    ],
)
def test_columns_are_read_from_top_to_bottom(
    server: RunningServer, workspace: str, order: pb.ReadingOrder.ValueType, columns: tuple[str, ...]
) -> None:
    teach(server, workspace)
    page = Page((900, 600))
    for x, column in zip((100, 220, 340), ("ಕಖಗಘಙ", "ಙಙಕಖಗ", "ಗಕಘಖಙ"), strict=True):
        page.write_column([LETTERS[letter](3.0) for letter in column], x)

    reading = read(server, workspace, page.to_png(), reading_order=order)

    assert reading.text.splitlines() == list(columns)
    boxes = [page.boxes[i : i + 5] for i in (0, 5, 10)]
    ordered = boxes if order == pb.READING_ORDER_COLUMNS_FROM_LEFT else boxes[::-1]
    assert_boxes(reading, [box for column in ordered for box in column])


def assert_boxes(reading: pb.PageReading, boxes: list[tuple[float, float, float, float]]) -> None:
    """Compare where glyphs are, one by one, give or take a pen."""
    for glyph, box in zip(glyphs_of(reading), boxes, strict=True):
        found = [(point.x, point.y) for point in glyph.polygon.points]
        assert found[0] == pytest.approx(box[:2], abs=6) and found[2] == pytest.approx(box[2:], abs=6)
