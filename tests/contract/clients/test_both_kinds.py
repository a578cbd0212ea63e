"""Both kinds of client against a real server: one body for each test."""

from __future__ import annotations

import asyncio
import inspect
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_client import (
    AsyncHaleganadaClient,
    Drawing,
    FailedPrecondition,
    HaleganadaClient,
    HaleganadaError,
    InvalidInput,
    ItemError,
    Lesson,
    NotFound,
    OnlineSettings,
    Taught,
    WrongType,
)
from PIL import Image, ImageDraw

from tests.conftest import RunningServer
from tests.contract.reading.taught_loop import write
from tests.unit.clients.driven import KINDS
from tests.unit.clients.scripted import serve

CROSS = [[(40, 40), (160, 160)], [(160, 40), (40, 160)]]
BOX = [[(40, 40), (160, 40), (160, 160), (40, 160), (40, 40)]]


@pytest.fixture(params=[*KINDS.values()], ids=[*KINDS])
def client(request: pytest.FixtureRequest, server: RunningServer, workspace: str) -> Iterator[HaleganadaClient]:
    with request.param(server.address, workspace=workspace) as connected:
        yield connected


def test_the_whole_life_of_a_workspace(client: HaleganadaClient, tmp_path: Path) -> None:
    assert client.health() == "SERVING"
    first = client.train(CROSS, "ಅ")
    taught = client.train_batch([(BOX, "ಆ", "", ""), Lesson(BOX, "a\nb"), Lesson(CROSS, "ಅ")])
    assert [type(one) for one in taught] == [Taught, ItemError, Taught]
    found = client.predict(CROSS, top_k=1)
    assert found.candidates[0].label == "ಅ" and len(found.candidates) == 1
    assert [each.candidates[0].label for each in client.predict_batch([CROSS, BOX]) if not isinstance(each, ItemError)]
    assert client.correct(found.prediction_id, "ಇ").taught.label == "ಇ"
    assert client.undo().label == "ಇ"
    assert client.link_variants("ಆ", "ಅ").forms == ("ಅ", "ಆ") and client.unlink_variants("ಆ").former_canonical == "ಅ"
    assert [sample.label for sample in client.iter_samples()] == ["ಅ", "ಆ", "ಅ"]
    assert client.relabel(first.sample_id, "ಈ").label == "ಈ" and client.get_sample(first.sample_id).picture
    client.forget(first.sample_id)
    assert client.list_samples(page_size=1).total_size == client.stats().samples_total == 2
    kept = client.save("mine")
    sizes: list[int] = []
    done = client.export(tmp_path / "out.zip", progress=sizes.append)
    assert (tmp_path / "out.zip").stat().st_size == done.size_bytes == sizes[-1]
    assert client.reset(client.config.workspace) is not None
    assert client.import_file(tmp_path / "out.zip").imported == 2
    into = io.BytesIO()
    client.export(into, "jsonl")
    assert len(into.getvalue().splitlines()) == 2
    assert client.restore_snapshot(kept.snapshot_id).samples_total == 2
    assert kept in client.list_snapshots() and client.delete_snapshot(kept.snapshot_id).freed_bytes > 0
    assert client.config.workspace in {workspace.name for workspace in client.list_workspaces()}
    client.delete_workspace(client.config.workspace, client.config.workspace)
    with pytest.raises(NotFound):
        client.get_workspace()


def test_lists_of_other_things(client: HaleganadaClient) -> None:
    assert client.models.list()[0].model_id == "few-shot" and client.models.get("few-shot").name == "few-shot"
    assert {preset.name for preset in client.models.presets()} > {"cnn36"}
    assert client.models.activate("few-shot").model_id == "few-shot"
    with pytest.raises(HaleganadaError):
        client.models.activate("no such model", online=OnlineSettings())
    assert client.jobs.list() == client.jobs.list(3) == [] and len(client.readings.list(1)) <= 1
    with pytest.raises(NotFound):
        list(client.jobs.watch("no such job"))
    assert [engine.engine for engine in client.engines()]


def test_pictures_in_every_form(client: HaleganadaClient, tmp_path: Path) -> None:
    image = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(image).line((40, 40, 160, 160), fill=0, width=9)
    image.save(tmp_path / "a.png", compress_level=1)  # as the client does, so that all are the same bytes
    with (tmp_path / "a.png").open("rb") as file:
        forms: list[Drawing] = [
            image,
            tmp_path / "a.png",
            str(tmp_path / "a.png"),
            file,
            (tmp_path / "a.png").read_bytes(),
        ]
        taught = [client.train(drawing, "\\", request_id="the same") for drawing in forms]
    assert [one.duplicate for one in taught] == [False, *[True] * 4]


def test_a_failed_import_says_why(client: HaleganadaClient) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:  # noqa: ARG002
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        client.import_file(Broken())
    assert client.stats().samples_total == 0
    with pytest.raises(InvalidInput):
        client.import_file(io.BytesIO(b"nothing that is known"))
    with pytest.raises(WrongType, match=r"^source"):
        client.import_file(5)  # type: ignore[arg-type]


def test_an_export_that_cannot_be_written_ends_its_call(client: HaleganadaClient, tmp_path: Path) -> None:
    client.train(CROSS, "a")
    for _ in range(9):  # more than one connection may have at once
        with pytest.raises(OSError):
            client.export(tmp_path / "none" / "out.zip")
    assert client.export(tmp_path / "out.zip").samples_total == 1


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
def test_a_closed_client_says_so(server: RunningServer, make: type[HaleganadaClient], tmp_path: Path) -> None:
    with make(server.address) as client:
        client.stats()
        client.close()
        for call in (
            client.health,
            lambda: client.train(CROSS, "a"),
            lambda: list(client.iter_samples()),
            lambda: client.export(tmp_path / "out"),
            lambda: client.jobs.list(),
            lambda: list(client.read_many([b"x"])),
        ):
            with pytest.raises(FailedPrecondition, match="this client is closed") as refusal:
                call()
            assert refusal.value.reason == "CLIENT_CLOSED"
        client.close()


def test_closing_ends_calls_that_wait() -> None:
    over = threading.Event()

    async def close_meanwhile(port: int) -> None:
        client = AsyncHaleganadaClient(f"127.0.0.1:{port}")
        call = asyncio.create_task(client.train(CROSS, "a"))
        while not called.is_set():
            await asyncio.sleep(0.01)
        await client.close()
        with pytest.raises(FailedPrecondition, match="closed"):
            await call

    called = threading.Event()

    def behavior(*_: object) -> None:
        called.set()
        over.wait(30)

    with serve(behavior) as port:  # type: ignore[arg-type]
        asyncio.run(close_meanwhile(port))
        over.set()


def test_asyncio_calls_go_on_beside_each_other(server: RunningServer, workspace: str) -> None:
    async def work() -> list[str]:
        async with AsyncHaleganadaClient(server.address, workspace=workspace) as client:
            await asyncio.gather(client.train(CROSS, "x"), client.train(BOX, "o"))
            found = await asyncio.gather(*(client.predict(drawing) for drawing in (CROSS, BOX) * 5))
            labels = [sample.label async for sample in client.iter_samples()]
            assert sorted(labels) == ["o", "x"]
            return [prediction.candidates[0].label for prediction in found]

    assert asyncio.run(work()) == ["x", "o"] * 5


def test_a_cancelled_task_is_cancelled(server: RunningServer) -> None:
    async def work() -> None:
        async with AsyncHaleganadaClient(server.address) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.stats(), 0)
            assert await client.health() == "SERVING"

    asyncio.run(work())


def test_both_kinds_have_the_same_methods() -> None:
    blocking, asynchronous = (
        {name: inspect.signature(value) for name, value in inspect.getmembers(kind, callable) if name[0] != "_"}
        for kind in (HaleganadaClient, AsyncHaleganadaClient)
    )
    assert blocking == asynchronous and len(blocking) > 30


def test_a_page_is_corrected(client: HaleganadaClient) -> None:
    pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")
    made = client.read(write(("ಕಖ ಕ",)).to_png(), mode="taught", keep=True)
    assert made.reading is not None and made.reading.workspace and made.reading.expire_time is not None
    kept, readings = made.reading.reading_id, client.readings
    page = readings.page(kept)
    assert page.questions[0].reason == "unknown" and page.questions[0].similar_glyph_ids
    first, second, third = (glyph.glyph_id for glyph in page.glyphs if glyph.glyph_id is not None)

    done = readings.name(kept, [first], "ಕ", expected_revision=0)
    assert (done.page.text, done.changed_glyph_ids) == ("ಕ\ufffd ಕ\n", (first, third))
    assert len(done.sample_ids) == 1 and done.page.glyphs[0].settled and done.reading.expire_time is None
    assert readings.remove_glyphs(kept, [second]).page.revision == 2
    left, top, right, bottom = page.glyphs[2].box
    middle = (left + right) / 2
    assert len(readings.split(kept, third, (middle, top - 9), (middle, bottom + 9)).page.glyphs) == 3
    assert readings.undo(kept, revision=1).page.text == done.page.text
    assert readings.join(kept, [first, second], "ಙ").page.text.startswith("ಙ")
    (found,) = readings.evaluate(kept)
    assert (found.page, found.corrections, found.settled_glyphs) == (1, 2, 1)
    with pytest.raises(NotFound):
        readings.name(kept, [9999], "ಕ")
    with pytest.raises(NotFound):
        readings.undo(kept, page=2)
    with pytest.raises(WrongType):
        readings.name(kept, "12", "ಕ")  # type: ignore[arg-type]
    with pytest.raises(WrongType):
        readings.split(kept, third, 7, (1, 2))  # type: ignore[arg-type]
