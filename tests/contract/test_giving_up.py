"""Callers that give up: the server ends their work, does not commit it, and keeps nothing of it."""

from __future__ import annotations

import gc
import logging
import re
import time
import traceback
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1.common_pb2 import Glyph
from haleganada_server.core.errors import InvalidInput

from tests.bench.overload.bombs import draw_bomb
from tests.conftest import RunningServer
from tests.contract.drawings import blank, cross
from tests.support.waiting import wait_until

BATCH = 256
_LOOK_S = 0.1  # between two looks at all objects, each of which takes the processor as long


@cache
def large() -> Glyph:
    """A drawing of 16 megapixels in a file of 25 KB; 256 of them keep the server busy for a minute."""
    return Glyph(image=draw_bomb())


def lessons(workspace: str) -> ocr.TrainBatchRequest:
    item = ocr.TrainItem(glyph=large(), label="a")
    return ocr.TrainBatchRequest(workspace=workspace, items=[item] * BATCH)


def find_ending(log: str, method: str) -> str:
    """Return the status with which the log says that a call of a method has ended; "" if it has not."""
    found = re.search(rf"method={method} .* code=(\w+)", log)
    return found[1] if found else ""


def test_a_deadline_ends_the_work_and_nothing_is_taught(
    server: RunningServer, workspace: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        with pytest.raises(grpc.RpcError) as caught:
            server.ocr.TrainBatch(lessons(workspace), timeout=1)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        ending = wait_until(lambda: find_ending(caplog.text, "TrainBatch"), 30)
    assert ending == "DEADLINE_EXCEEDED"
    stats = server.ocr.Stats(ocr.StatsRequest(workspace=workspace))
    assert stats.samples_total == 0


@pytest.mark.parametrize("method", ["PredictBatch", "TrainBatch"])
def test_a_caller_that_goes_away_ends_the_work(
    server: RunningServer, workspace: str, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    recognition = ocr.PredictBatchRequest(workspace=workspace, glyphs=[large()] * BATCH)
    request = recognition if method == "PredictBatch" else lessons(workspace)
    with caplog.at_level(logging.INFO):
        began = time.process_time()
        call = getattr(server.ocr, method).future(request)
        wait_until(lambda: time.process_time() - began > 0.1)  # the server, in this process, works on it
        call.cancel()
        ending = wait_until(lambda: find_ending(caplog.text, method), 30)
    assert ending == "CANCELLED"
    assert server.ocr.Stats(ocr.StatsRequest(workspace=workspace)).samples_total == 0


def test_a_deadline_ends_an_import(
    server: RunningServer, workspace: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "bombs.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for number in range(BATCH):
            zipped.writestr(f"a/{number}.png", large().image)
    header = ocr.ImportHeader(workspace=workspace, format=ocr.EXPORT_FORMAT_IMAGE_FOLDER)
    chunks = [path.read_bytes()[start : start + 2**19] for start in range(0, path.stat().st_size, 2**19)]
    parts = [ocr.ImportRequest(header=header), *(ocr.ImportRequest(chunk=chunk) for chunk in chunks)]
    with caplog.at_level(logging.INFO):
        with pytest.raises(grpc.RpcError) as caught:
            server.ocr.Import(iter(parts), timeout=1)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert wait_until(lambda: find_ending(caplog.text, "Import"), 30) == "DEADLINE_EXCEEDED"


def test_small_drawings_do_not_wait_for_large_ones(server: RunningServer, workspace: str) -> None:
    server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=cross(), label="x"))
    batch = ocr.PredictBatchRequest(workspace=workspace, glyphs=[large()] * BATCH)
    call = server.ocr.PredictBatch.future(batch)
    mixed = ocr.PredictBatchRequest(workspace=workspace, glyphs=[cross()] * 40)
    try:
        for _ in range(5):
            answer = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross()))
            assert answer.candidates[0].label == "x"
            assert len(server.ocr.PredictBatch(mixed).results) == 40
        assert not call.done()
    finally:
        call.cancel()


def test_a_refused_drawing_leaves_nothing_behind(server: RunningServer, workspace: str) -> None:
    """Errors that are kept, or that only the garbage collector finds, keep the pictures that they are about."""
    refused = [blank(), b"no picture", draw_bomb(size=(1100, 1100), blank=True)]
    gc.collect()
    others = find_kept_errors()  # of calls that earlier tests have given up, for example
    gc.disable()
    try:
        for image in refused:
            with pytest.raises(grpc.RpcError):
                server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=Glyph(image=image)))
            with pytest.raises(grpc.RpcError):
                server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=Glyph(image=image), label="a"))
        glyphs = [Glyph(image=image) for image in refused]
        server.ocr.PredictBatch(ocr.PredictBatchRequest(workspace=workspace, glyphs=glyphs))
        ends_s = time.monotonic() + 10
        while (kept := find_kept_errors(others)) and time.monotonic() < ends_s:
            del kept
            time.sleep(_LOOK_S)
        assert not kept, "errors are kept with their tracebacks:\n" + "\n".join(map(describe, kept))
    finally:
        gc.enable()


def find_kept_errors(others: Sequence[InvalidInput] = ()) -> list[InvalidInput]:
    """Return the server's errors about what callers have sent that are alive, but for others that were before."""
    found = (one for one in gc.get_objects() if isinstance(one, InvalidInput) and one.__traceback__ is not None)
    return [one for one in found if all(one is not other for other in others)]


def describe(error: InvalidInput) -> str:
    """Return an error, where it was raised, and what keeps it."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{error!r}, kept by {[type(keeper) for keeper in gc.get_referrers(error)]}\n{frames}"
