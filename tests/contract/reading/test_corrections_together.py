"""Corrections in any order, by several users, beside deletions and other weights: nothing is lost, nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import grpc
import numpy as np
import pytest
from grpc import StatusCode
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import reading_service_pb2 as pb
from haleganada.v1 import workspace_service_pb2 as workspaces
from haleganada_server.core.access.identity import LOCAL_CALLER, Caller
from haleganada_server.core.errors import NotFound
from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.glyphs.ports import Raster
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.reading.corrections.corrections import GlyphNaming
from haleganada_server.core.reading.ports import TaughtWorkspaces
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import RunningServer
from tests.contract.reading.taught_loop import Loop, glyphs_of, teach, write
from tests.contract.refusals import expect_refusal
from tests.support.slow import slow

pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")

STEP = st.tuples(
    st.sampled_from(["name", "name", "join", "remove", "undo", "stale"]), st.integers(0, 30), st.sampled_from("ಕಖಗಙ")
)


@pytest.fixture
def loop(server: RunningServer, workspace: str) -> Loop:
    return make_loop(server, workspace)


def make_loop(server: RunningServer, workspace: str) -> Loop:
    teach(server, workspace, "ಕಖ")
    return Loop.read(server, workspace, write(("ಕಖಗ ಗಕ", "ಖಗ")))


def count_samples(loop: Loop) -> int:
    return loop.server.ocr.Stats(ocr.StatsRequest(workspace=loop.workspace)).samples_total


def describe(page: pb.PageReading) -> list[tuple[int, str, bool]]:
    return [(glyph.glyph_id, glyph.text, glyph.settled) for glyph in glyphs_of(page)]


def correct(loop: Loop, step: tuple[str, int, str], seen: Sequence[pb.TextGlyph]) -> pb.CorrectReadingResponse | None:
    """Carry a step out, for a user who has seen these glyphs; return None if it cannot be done any more."""
    kind, number, text = step
    ids = [glyph.glyph_id for glyph in seen]
    chosen = ids[number % len(ids)]
    after = ids[(number + 1) % len(ids)]
    corrections: dict[str, dict[str, Any]] = {
        "name": {"name": pb.GlyphNaming(glyph_ids=[chosen], text=text)},
        "stale": {"name": pb.GlyphNaming(glyph_ids=[number], text=text)},
        "join": {"join": pb.GlyphJoin(glyph_ids=[chosen, after], text=text if number % 2 else "")},
        "remove": {"remove": pb.GlyphRemoval(glyph_ids=[chosen])},
        "undo": {"undo": pb.CorrectionUndo()},
    }
    try:
        return loop.correct(**corrections[kind])
    except grpc.RpcError as error:
        allowed = (StatusCode.NOT_FOUND, StatusCode.INVALID_ARGUMENT, StatusCode.FAILED_PRECONDITION)
        assert error.code() in allowed, error
        return None


@pytest.mark.parametrize("examples", [2, *slow(40)])
def test_any_order_of_corrections_by_two_users(server: RunningServer, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(STEP, min_size=4, max_size=9))
    def check(steps: list[tuple[str, int, str]]) -> None:
        workspace = f"test {uuid4()}"
        server.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace=workspace))
        loop = make_loop(server, workspace)
        first, taught = loop.get(), count_samples(loop)
        seen = [glyphs_of(first), glyphs_of(first)]  # by each user, who corrects in turn, and sees only their answers
        for number, step in enumerate(steps):
            before = loop.get()
            answer = correct(loop, step, seen[number % 2])
            if answer is None:
                assert describe(loop.get()) == describe(before) and loop.get().revision == before.revision
                continue
            assert describe(loop.get()) == describe(answer.page)
            if step[0] in ("name", "stale"):  # what the other has settled is still there
                kept = {glyph.glyph_id: glyph.text for glyph in glyphs_of(before) if glyph.settled}
                now = {glyph.glyph_id: glyph.text for glyph in glyphs_of(answer.page) if glyph.settled}
                assert set(kept) <= set(now) and sum(now[one] != kept[one] for one in kept) <= 1
            named = sum(glyph.settled for glyph in glyphs_of(answer.page))
            assert count_samples(loop) == taught + named
            seen[number % 2] = glyphs_of(answer.page)
        last = loop.get()
        server.app.readings._corrector.pages.forget(loop.reading.reading_id)  # as after a restart
        assert describe(loop.get()) == describe(last) and loop.get().revision == last.revision
        loop.correct(undo=pb.CorrectionUndo(revision=0))
        assert describe(loop.get()) == describe(first) and count_samples(loop) == taught

    check()


def test_users_at_the_same_time_lose_nothing(loop: Loop) -> None:
    taught, glyphs = count_samples(loop), glyphs_of(loop.get())
    with ThreadPoolExecutor(len(glyphs)) as users:
        answers = list(users.map(lambda glyph: loop.name([glyph.glyph_id], "ಙ"), glyphs))
    assert sorted(answer.page.revision for answer in answers) == [*range(1, len(glyphs) + 1)]
    assert describe(loop.get()) == [(glyph.glyph_id, "ಙ", True) for glyph in glyphs]
    assert count_samples(loop) == taught + len(glyphs)


@dataclass(frozen=True)
class Interrupted:
    """The server's own workspaces; something else happens when one has just been taught."""

    real: TaughtWorkspaces
    interrupt: Callable[[], None]

    def adapt_knowledge(self, name: str) -> Knowledge:
        return self.real.adapt_knowledge(name)

    def exchange(
        self,
        name: str,
        taught: Sequence[tuple[str, Drawing]],
        forgotten: Sequence[tuple[int, Raster]],
        client: Caller = LOCAL_CALLER,
    ) -> tuple[int, ...]:
        made = self.real.exchange(name, taught, forgotten, client)
        self.interrupt()
        return made


def test_a_reading_is_deleted_during_its_correction(loop: Loop) -> None:
    readings, taught = loop.server.app.readings, count_samples(loop)
    glyph_id = glyphs_of(loop.get())[2].glyph_id
    deletions = iter([loop.reading.reading_id])

    def delete() -> None:
        for reading_id in deletions:
            readings.delete(reading_id)

    corrector = replace(readings._corrector, workspaces=Interrupted(readings._corrector.workspaces, delete))
    info = readings.get(loop.reading.reading_id)
    with pytest.raises(NotFound, match="no reading"):
        corrector.correct(info, 1, GlyphNaming((glyph_id,), "ಗ"), None, LOCAL_CALLER)
    assert count_samples(loop) == taught
    gone = expect_refusal(lambda: loop.name([glyph_id], "ಗ"))
    assert (gone.code, gone.reason) == (StatusCode.NOT_FOUND, "READING_NOT_FOUND")
    assert not (loop.server.app.config.data_dir / "readings" / loop.reading.reading_id).exists()


def test_a_page_of_another_embedder_is_embedded_anew(loop: Loop) -> None:
    store = loop.server.app.readings.store
    taught = store.load_taught_page(loop.reading.reading_id, 1)
    assert taught is not None
    foreign = replace(taught, embeddings=np.ones((len(taught.embeddings), 7), np.float32), embedder_hash="other")
    incoming = store.receive()
    incoming.write(b"a document")
    draft = store.begin(incoming)
    draft.add(store.page(loop.reading.reading_id, 1), foreign)
    made = draft.finish("", 1, loop.workspace)
    other = replace(loop, reading=pb.Reading(reading_id=made.reading_id))

    assert describe(other.get()) == describe(loop.get())
    assert other.name([glyphs_of(other.get())[2].glyph_id], "ಗ").page.text == "ಕಖಗ ಗಕ\nಖಗ\n"
