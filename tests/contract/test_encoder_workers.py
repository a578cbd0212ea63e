"""Processes that read drawings: they see what the server sees, and whatever becomes of them harms nobody."""

from __future__ import annotations

import io
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.micro_batch import PieceHere
from haleganada_server.core.glyphs.ports import Seen
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.rpc import convert
from haleganada_server.runtime.encoder_messages import pack_question, unpack_answer
from haleganada_server.runtime.encoder_pool import Patience, ReadingProcesses
from haleganada_server.runtime.frames import read_frame, write_frame
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import PillowInkReader, network_input
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.contract.drawings import cross, ladder, picture, ring
from tests.e2e.processes import reading_processes

CROSS = convert.glyph(cross())
Start = Callable[..., ReadingProcesses]


@pytest.fixture(scope="module")
def here(weights_dir: Path) -> PieceHere:
    """The server itself."""
    weights = load_weights(weights_dir)
    return PieceHere(PillowInkReader(), OnnxEmbedder(weights, partial(network_input, side=weights.side), threads=2))


@pytest.fixture(scope="module")
def processes(weights_dir: Path) -> Iterator[ReadingProcesses]:
    """One that is ready."""
    reader = ReadingProcesses(weights_dir, 1)
    until(lambda: reader.see([CROSS]))
    yield reader
    reader.close()


@pytest.fixture
def start(weights_dir: Path) -> Iterator[Start]:
    """Starts processes and waits until one is ready; ends them at the end."""
    started: list[ReadingProcesses] = []

    def run(count: int = 1, **patience: float) -> ReadingProcesses:
        before = set(reading_processes(os.getpid()))
        started.append(ReadingProcesses(weights_dir, count, Patience(**patience)))
        until(lambda: started[-1].see([CROSS]) and len(set(reading_processes(os.getpid())) - before) == count)
        return started[-1]

    yield run
    for reader in started:
        reader.close()


def until(ready: Callable[[], object], patience_s: float = 20) -> None:
    """Wait until it is so."""
    end = time.monotonic() + patience_s
    while not ready():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def same(one: object, other: object) -> bool:
    """To the last bit; errors in all that they say."""
    if isinstance(one, Seen) and isinstance(other, Seen):
        return one.embedding.tobytes() == other.embedding.tobytes() and np.array_equal(one.raster, other.raster)
    return type(one) is type(other) and vars(one) == vars(other) and str(one) == str(other)


def blank_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 60), "white").save(buffer, "PNG")
    return buffer.getvalue()


DRAWINGS = {
    "strokes": CROSS,
    "a ring": convert.glyph(ring(3)),
    "a ladder": convert.glyph(ladder(2)),
    "strokes with times": Glyph(ink=Ink((Stroke((1.5, 90.1), (3.0, 70.7), (0.0, 16.6), (0.5, 1.0)),), 100.0, 90.0)),
    "PNG": Glyph(image=picture("PNG")),
    "JPEG": Glyph(image=picture("JPEG", (300, 200))),
    "WebP": Glyph(image=picture("WEBP")),
    "a blank drawing": Glyph(ink=Ink((), 280.0, 280.0)),
    "a blank picture": Glyph(image=blank_picture()),
    "a broken picture": Glyph(image=picture("PNG")[:200]),
    "no picture": Glyph(image=b"no picture"),
    "an empty picture": Glyph(image=b""),
    "uneven strokes": Glyph(ink=Ink((Stroke((1.0, 2.0), (3.0,)),), 280.0, 280.0)),
    "not a number": Glyph(ink=Ink((Stroke((1.0, float("nan")), (3.0, 4.0)),), 280.0, 280.0)),
    "nothing": Glyph(),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_same_to_the_last_bit(name: str, here: PieceHere, processes: ReadingProcesses) -> None:
    (expected,), found = here.see([DRAWINGS[name]]), processes.see([DRAWINGS[name]])
    assert found is not None and len(found) == 1 and same(found[0], expected)


def test_the_same_together(here: PieceHere, processes: ReadingProcesses) -> None:
    glyphs = list(DRAWINGS.values())
    found, expected = processes.see(glyphs), here.see(glyphs)
    assert found is not None and all(map(same, found, expected)) and len(found) == len(expected)
    assert {type(one) for one in found} == {Seen, InvalidInput}
    assert processes.see([]) == []


points = st.lists(st.tuples(st.floats(-20, 300), st.floats(-20, 300)), min_size=1, max_size=30)
strokes = points.map(lambda line: Stroke(tuple(x for x, _ in line), tuple(y for _, y in line)))


@settings(max_examples=60)
@given(st.lists(strokes, max_size=5), st.floats(0, 40))
def test_any_strokes(here: PieceHere, processes: ReadingProcesses, drawn: list[Stroke], pen: float) -> None:
    glyph = Glyph(ink=Ink(tuple(drawn), 280.0, 280.0, pen))
    found = processes.see([glyph])
    assert found is not None and same(found[0], here.see([glyph])[0])


def test_nobody_is_there_at_first_and_nobody_after_the_end(weights_dir: Path) -> None:
    before = reading_processes(os.getpid())
    reader = ReadingProcesses(weights_dir, 2)
    assert reading_processes(os.getpid()) == before  # it is lazy
    assert reader.see([CROSS]) is None
    until(lambda: reader.see([CROSS]))
    reader.close()
    assert reader.see([CROSS]) is None
    until(lambda: reading_processes(os.getpid()) == before)


def test_one_that_is_killed_is_replaced(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    before = reading_processes(os.getpid())
    reader = start()
    (pid,) = set(reading_processes(os.getpid())) - set(before)
    os.kill(pid, signal.SIGKILL)
    with caplog.at_level(logging.WARNING):
        assert reader.see([CROSS]) is None
    assert "a reading process is gone" in caplog.text
    until(lambda: reader.see([CROSS]))
    assert pid not in reading_processes(os.getpid())


def test_one_that_is_silent_is_killed(start: Start) -> None:
    before = reading_processes(os.getpid())
    reader = start(silent=0.5)
    (pid,) = set(reading_processes(os.getpid())) - set(before)
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    assert reader.see([CROSS]) is None
    assert time.monotonic() - began < 5
    until(lambda: reader.see([CROSS]))


def test_unused_ones_are_ended_and_started_when_wanted_again(start: Start) -> None:
    before = reading_processes(os.getpid())
    reader = start(count=2, unused=0.5)
    until(lambda: reading_processes(os.getpid()) == before)
    assert reader.see([CROSS]) is None
    until(lambda: reader.see([CROSS]))


def test_ctrl_c_is_not_theirs(start: Start) -> None:
    before = reading_processes(os.getpid())
    reader = start()
    (pid,) = set(reading_processes(os.getpid())) - set(before)
    os.kill(pid, signal.SIGINT)
    time.sleep(0.1)
    assert reader.see([CROSS]) and pid in reading_processes(os.getpid())


def test_where_none_can_start_the_server_reads_by_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reader = ReadingProcesses(tmp_path, 1)  # a folder without weights
    with caplog.at_level(logging.WARNING):
        assert reader.see([CROSS]) is None
        until(lambda: "could not be started" in caplog.text)
        assert reader.see([CROSS]) is None
    reader.close()


def test_a_process_survives_what_it_does_not_understand_and_ends_with_its_input(weights_dir: Path) -> None:
    line = [sys.executable, "-m", "haleganada_server.encoder_worker", str(weights_dir)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        assert read_frame(process.stdout) == ({"ready": load_weights(weights_dir).hash}, b"")
        write_frame(process.stdin, {"glyphs": "nonsense"})
        answer = read_frame(process.stdout)
        assert answer and "failed" in answer[0]
        write_frame(process.stdin, *pack_question([CROSS]))
        answer = read_frame(process.stdout)
        assert answer and isinstance(unpack_answer(answer)[0], Seen)
        process.stdin.close()
        assert process.wait(10) == 0


def test_it_needs_no_transport_no_database_and_no_torch() -> None:
    code = "import sys, haleganada_server.encoder_worker; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"grpc", "google.protobuf", "haleganada", "sqlite3", "torch", "onnx"} & set(loaded)
