"""Correcting pages of taught scripts, through the generated stubs over loopback."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from grpc import StatusCode
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import reading_service_pb2 as pb
from haleganada.v1 import sample_service_pb2 as samples
from haleganada.v1 import workspace_service_pb2 as workspaces
from PIL import Image

from tests.conftest import RunningServer
from tests.contract.reading.taught_loop import Loop, glyphs_of, teach, write
from tests.contract.refusals import expect_refusal
from tests.support.tiny_reader import tiny

pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")


@pytest.fixture
def loop(server: RunningServer, workspace: str) -> Loop:
    """A page of nine glyphs of three kinds, of which ಗ was not taught."""
    teach(server, workspace, "ಕಖ")
    return Loop.read(server, workspace, write(("ಕಖಗ ಗಕ", "ಖಗ ಗಖ")))


def count_samples(loop: Loop) -> int:
    return loop.server.ocr.Stats(ocr.StatsRequest(workspace=loop.workspace)).samples_total


def test_a_name_is_taught_and_the_page_reads_itself_again(loop: Loop) -> None:
    before, taught = loop.get(), count_samples(loop)
    assert before.text == "ಕಖ\ufffd \ufffdಕ\nಖ\ufffd \ufffdಖ\n" and before.revision == 0

    answer = loop.name([glyphs_of(before)[2].glyph_id], "ಗ")

    assert answer.page.text == "ಕಖಗ ಗಕ\nಖಗ ಗಖ\n" and answer.page.revision == 1
    glyphs = glyphs_of(answer.page)
    assert [glyph.settled for glyph in glyphs] == [number == 2 for number in range(9)]
    assert glyphs[2].confidence == 1
    assert set(answer.changed_glyph_ids) == {glyph.glyph_id for glyph in glyphs if glyph.text == "ಗ"}
    (sample_id,) = answer.sample_ids
    found = loop.server.samples.GetSample(samples.GetSampleRequest(workspace=loop.workspace, sample_id=sample_id))
    assert found.sample.label == "ಗ" and count_samples(loop) == taught + 1
    assert loop.get().SerializeToString() == answer.page.SerializeToString()


def test_what_was_settled_stays_whatever_is_taught(loop: Loop) -> None:
    chosen = glyphs_of(loop.get())[0].glyph_id
    loop.name([chosen], "ಙ")  # which it is not
    teach(loop.server, loop.workspace, "ಕಖಗ")
    first, *others = glyphs_of(loop.get())
    assert (first.glyph_id, first.text, first.settled) == (chosen, "ಙ", True)
    assert "".join(glyph.text for glyph in others) == "ಖಗಗಕಖಗಗಖ"


def test_a_form_of_a_label_reads_as_its_label(loop: Loop) -> None:
    loop.server.ocr.LinkVariants(ocr.LinkVariantsRequest(workspace=loop.workspace, form="ga", canonical="ಗ"))
    answer = loop.name([glyphs_of(loop.get())[2].glyph_id], "ga")
    assert answer.page.text.startswith("ಕಖಗ")


def test_one_name_for_many(loop: Loop) -> None:
    unread = [glyph.glyph_id for glyph in glyphs_of(loop.get()) if not glyph.text]
    answer = loop.name(unread, "ಗ")
    assert len(answer.sample_ids) == len(unread) == 4
    assert sum(glyph.settled for glyph in glyphs_of(answer.page)) == 4


def test_another_name_takes_the_place_of_the_first(loop: Loop) -> None:
    before = count_samples(loop)
    glyph_id = glyphs_of(loop.get())[2].glyph_id
    (wrong,) = loop.name([glyph_id], "ಘ").sample_ids
    (right,) = loop.name([glyph_id], "ಗ").sample_ids
    assert right != wrong and count_samples(loop) == before + 1


def test_ink_that_is_no_glyph(loop: Loop) -> None:
    chosen = glyphs_of(loop.get())[0].glyph_id
    answer = loop.correct(remove=pb.GlyphRemoval(glyph_ids=[chosen]))
    assert answer.page.text.startswith("ಖ\ufffd") and not answer.sample_ids
    assert chosen not in [glyph.glyph_id for glyph in glyphs_of(answer.page)]


def test_a_glyph_is_split_and_joined(loop: Loop) -> None:
    chosen = glyphs_of(loop.get())[0]
    corners = chosen.polygon.points
    middle = (corners[0].x + corners[1].x) / 2
    split = pb.GlyphSplit(glyph_id=chosen.glyph_id, to=pb.Point(x=middle, y=corners[2].y + 9))
    getattr(split, "from").CopyFrom(pb.Point(x=middle, y=corners[0].y - 9))

    parted = loop.correct(split=split)

    glyphs = glyphs_of(parted.page)
    assert len(glyphs) == 10 and chosen.glyph_id not in [glyph.glyph_id for glyph in glyphs]
    halves = [glyph.glyph_id for glyph in glyphs[:2]]
    gone = expect_refusal(lambda: loop.name([chosen.glyph_id], "ಕ"))
    assert (gone.code, gone.reason) == (StatusCode.NOT_FOUND, "GLYPH_NOT_FOUND")
    joined = loop.correct(join=pb.GlyphJoin(glyph_ids=halves, text="ಕ"))
    assert len(glyphs_of(joined.page)) == 9 and glyphs_of(joined.page)[0].text == "ಕ" and len(joined.sample_ids) == 1


def test_undo_takes_back_what_was_taught(loop: Loop) -> None:
    first, taught = loop.get(), count_samples(loop)
    glyphs = glyphs_of(first)
    loop.name([glyphs[2].glyph_id], "ಗ")
    loop.correct(join=pb.GlyphJoin(glyph_ids=[glyphs[0].glyph_id, glyphs[1].glyph_id], text="ಙ"))

    one = loop.correct(undo=pb.CorrectionUndo())
    assert one.page.text == "ಕಖಗ ಗಕ\nಖಗ ಗಖ\n" and one.page.revision == 3
    all_of_them = loop.correct(undo=pb.CorrectionUndo(revision=0))
    assert all_of_them.page.text == first.text and count_samples(loop) == taught
    nothing = expect_refusal(lambda: loop.correct(undo=pb.CorrectionUndo()))
    assert (nothing.code, nothing.reason) == (StatusCode.FAILED_PRECONDITION, "NOTHING_TO_UNDO")
    again = loop.correct(undo=pb.CorrectionUndo(revision=1))
    assert again.page.text == one.page.text and count_samples(loop) == taught + 1


def test_glyphs_keep_their_ids_to_themselves(loop: Loop) -> None:
    glyphs = glyphs_of(loop.get())
    pairs = [[glyphs[0].glyph_id, glyphs[1].glyph_id], [glyphs[1].glyph_id, glyphs[2].glyph_id]]
    made = []
    for pair in pairs:
        answer = loop.correct(join=pb.GlyphJoin(glyph_ids=pair, text="x"))
        made.append(next(glyph.glyph_id for glyph in glyphs_of(answer.page) if glyph.text == "x"))
        loop.correct(undo=pb.CorrectionUndo())
    new = [one for one in made if one >= max(glyph.glyph_id for glyph in glyphs)]
    assert len(set(new)) == len(new)


def test_two_users_see_what_the_other_has_corrected(loop: Loop) -> None:
    mine, yours = glyphs_of(loop.get())[2].glyph_id, glyphs_of(loop.get())[0].glyph_id
    loop.name([mine], "ಗ", expected_revision=0)
    late = expect_refusal(lambda: loop.name([yours], "ಕ", expected_revision=0))
    assert (late.code, late.reason) == (StatusCode.ABORTED, "REVISION_MISMATCH") and "page" in late.message
    answer = loop.name([yours], "ಕ")
    assert answer.page.revision == 2 and [glyph.settled for glyph in glyphs_of(answer.page)][:3] == [True, False, True]


def test_a_second_page_profits_from_the_first(loop: Loop) -> None:
    other = Loop.read(loop.server, loop.workspace, write(("ಗಗ",)))
    assert other.get().text == "\ufffd\ufffd\n"
    loop.name([glyphs_of(loop.get())[2].glyph_id], "ಗ")
    assert other.get().text == "ಗಗ\n"


def test_a_reading_that_was_corrected_does_not_expire(loop: Loop) -> None:
    assert loop.reading.HasField("expire_time") and loop.reading.workspace == loop.workspace
    answer = loop.name([glyphs_of(loop.get())[2].glyph_id], "ಗ")
    assert not answer.reading.HasField("expire_time") and answer.reading.size_bytes > loop.reading.size_bytes


def test_an_export_has_the_present_text(loop: Loop) -> None:
    loop.name([glyphs_of(loop.get())[2].glyph_id], "ಗ")
    assert loop.export(pb.READING_FORMAT_TEXT).decode() == "ಕಖಗ ಗಕ\nಖಗ ಗಖ\n"


def test_labels_that_look_alike_are_told_apart_by_their_neighbors(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "ಖಗ")
    loop = Loop.read(server, workspace, write(("ಖಕ ಗಕ ಖಕ ಗಕ",) * 3))
    glyphs = glyphs_of(loop.get())
    said = "ಖಕಗಘ" * 4  # of the first two lines: the same ink is ಕ behind ಖ, and ಘ behind ಗ
    for label in "ಖಗಕಘ":
        answer = loop.name([glyph.glyph_id for glyph, one in zip(glyphs, said, strict=False) if one == label], label)
    assert answer.page.text == "ಖಕ ಗಘ ಖಕ ಗಘ\n" * 3
    assert not any(glyph.settled for glyph in glyphs_of(answer.page)[16:])
    before = answer.page.text
    loop.name([glyphs_of(answer.page)[17].glyph_id], "ಙ")
    assert loop.correct(undo=pb.CorrectionUndo()).page.text == before


def test_lists_show_the_present_text(loop: Loop) -> None:
    def read_listed_text() -> str:
        found = loop.server.reading.ListReadings(pb.ListReadingsRequest(page_size=100)).readings
        return next(one.excerpt for one in found if one.reading_id == loop.reading.reading_id)

    assert read_listed_text() == loop.reading.excerpt
    answer = loop.name([glyphs_of(loop.get())[2].glyph_id], "ಗ")
    assert read_listed_text() == answer.reading.excerpt == answer.page.text.strip() == "ಕಖಗ ಗಕ\nಖಗ ಗಖ"
    undone = loop.correct(undo=pb.CorrectionUndo())
    assert read_listed_text() == undone.reading.excerpt == loop.reading.excerpt


def test_evaluate(loop: Loop) -> None:
    glyphs = glyphs_of(loop.get())
    loop.name([glyphs[2].glyph_id], "ಗ")
    loop.correct(remove=pb.GlyphRemoval(glyph_ids=[glyphs[0].glyph_id]))
    (page,) = loop.server.reading.EvaluateReading(pb.EvaluateReadingRequest(reading_id=loop.reading.reading_id)).pages
    assert (page.page, page.glyphs, page.settled_glyphs, page.corrections) == (1, 8, 1, 2)
    assert (page.first_errors, page.unsettled_errors) == (5, 1)


def test_what_cannot_be_corrected(loop: Loop, server: RunningServer) -> None:
    glyph_id = glyphs_of(loop.get())[0].glyph_id
    printed = server.reading.Read(pb.ReadRequest(document=tiny("one"), options=pb.ReadOptions(keep=True))).reading
    name = pb.GlyphNaming(glyph_ids=[glyph_id], text="ಕ")
    for fields, code, reason in (
        ({"reading_id": printed.reading_id}, StatusCode.FAILED_PRECONDITION, "READING_NOT_CORRECTABLE"),
        ({"reading_id": "0" * 12}, StatusCode.NOT_FOUND, "READING_NOT_FOUND"),
        ({"page": 2}, StatusCode.NOT_FOUND, "PAGE_NOT_FOUND"),
        ({"name": pb.GlyphNaming(glyph_ids=[99999], text="ಕ")}, StatusCode.NOT_FOUND, "GLYPH_NOT_FOUND"),
        ({"name": pb.GlyphNaming(glyph_ids=[], text="ಕ")}, StatusCode.INVALID_ARGUMENT, "INVALID_INPUT"),
        ({"name": pb.GlyphNaming(glyph_ids=range(257), text="ಕ")}, StatusCode.INVALID_ARGUMENT, "INVALID_INPUT"),
        ({"name": pb.GlyphNaming(glyph_ids=[glyph_id])}, StatusCode.INVALID_ARGUMENT, "INVALID_INPUT"),
        ({"name": None}, StatusCode.INVALID_ARGUMENT, "INVALID_INPUT"),
        ({"expected_revision": 7}, StatusCode.ABORTED, "REVISION_MISMATCH"),
    ):
        usual: dict[str, Any] = {"reading_id": loop.reading.reading_id, "name": name}
        request = pb.CorrectReadingRequest(**{**usual, **fields})
        answer = expect_refusal(lambda request=request: server.reading.CorrectReading(request))  # type: ignore[misc]
        assert (answer.code, answer.reason) == (code, reason), fields


def test_the_workspace_of_a_reading_may_be_gone(loop: Loop) -> None:
    glyph_id = glyphs_of(loop.get())[0].glyph_id
    gone = workspaces.DeleteWorkspaceRequest(workspace=loop.workspace, confirm=loop.workspace)
    loop.server.workspaces.DeleteWorkspace(gone)
    answer = expect_refusal(lambda: loop.name([glyph_id], "ಕ"))
    assert (answer.code, answer.reason) == (StatusCode.NOT_FOUND, "WORKSPACE_NOT_FOUND")


def test_samples_of_others_are_not_forgotten(loop: Loop) -> None:
    """After a reset, numbers of samples begin anew."""
    loop.name([glyphs_of(loop.get())[2].glyph_id], "ಗ")
    loop.server.ocr.Reset(ocr.ResetRequest(workspace=loop.workspace, confirm=loop.workspace))
    teach(loop.server, loop.workspace, "ಕಖಗಘ")
    before = count_samples(loop)
    loop.correct(undo=pb.CorrectionUndo())
    assert count_samples(loop) == before


def test_after_a_reset_a_name_is_taught_again(loop: Loop) -> None:
    glyph_id = glyphs_of(loop.get())[2].glyph_id
    loop.name([glyph_id], "ಗ")
    loop.server.ocr.Reset(ocr.ResetRequest(workspace=loop.workspace, confirm=loop.workspace))
    assert loop.name([glyph_id], "ಗ").page.text.count("ಗ") == 4
    assert count_samples(loop) == 1


def test_settled_glyphs_are_a_data_set(loop: Loop) -> None:
    glyphs = glyphs_of(loop.get())
    loop.name([glyphs[2].glyph_id, glyphs[3].glyph_id], "ಗ")
    loop.name([glyphs[0].glyph_id], "ಕ")
    loop.correct(remove=pb.GlyphRemoval(glyph_ids=[glyphs[1].glyph_id]))
    archive = loop.export(pb.READING_FORMAT_GLYPHS)
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert sorted(name.split("/")[0] for name in file.namelist()) == ["U+0C95", "U+0C97", "U+0C97"]
        assert Image.open(file.open(file.namelist()[0])).size == (128, 128)
    sent = ocr.ImportRequest(header=ocr.ImportHeader(workspace=loop.workspace)), ocr.ImportRequest(chunk=archive)
    assert loop.server.ocr.Import(iter(sent)).imported == 3
