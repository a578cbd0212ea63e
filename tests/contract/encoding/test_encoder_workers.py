"""Encoder workers: they compute exactly what the server computes, and losing one harms no call."""

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
from haleganada_server.core.glyphs.micro_batch import LocalBatchEncoder
from haleganada_server.core.glyphs.ports import EncodedGlyph
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.rpc.convert.common import glyph as to_glyph
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.processes.encoder_messages import pack_request, unpack_response
from haleganada_server.runtime.processes.encoder_pool import EncoderPool, PoolTimeouts
from haleganada_server.runtime.processes.frames import read_frame, write_frame
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import PillowRasterizer, network_input
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.contract.drawings import cross, ladder, picture, ring
from tests.e2e.processes import encoder_workers
from tests.waiting import wait_until

CROSS = to_glyph(cross())
Start = Callable[..., EncoderPool]


@pytest.fixture(scope="module")
def local(weights_dir: Path) -> LocalBatchEncoder:
    """Encodes as the server itself does."""
    weights = load_weights(weights_dir)
    return LocalBatchEncoder(
        PillowRasterizer(), OnnxEmbedder(weights, partial(network_input, side=weights.side), threads=2)
    )


@pytest.fixture(scope="module")
def pool(weights_dir: Path) -> Iterator[EncoderPool]:
    """A pool with a worker that is ready."""
    pool = EncoderPool(weights_dir, 1)
    wait_until(lambda: pool.encode([CROSS]))
    yield pool
    pool.close()


@pytest.fixture
def start(weights_dir: Path) -> Iterator[Start]:
    """Return a function that starts a pool and waits until its workers are ready; the pools are closed afterwards."""
    started: list[EncoderPool] = []

    def run(count: int = 1, **timeouts: float) -> EncoderPool:
        before = set(encoder_workers(os.getpid()))
        started.append(EncoderPool(weights_dir, count, PoolTimeouts(**timeouts)))
        wait_until(lambda: started[-1].encode([CROSS]) and len(set(encoder_workers(os.getpid())) - before) == count)
        return started[-1]

    yield run
    for pool in started:
        pool.close()


def is_same(one: object, other: object) -> bool:
    """Whether two outcomes are equal to the last bit; errors in everything that they say."""
    if isinstance(one, EncodedGlyph) and isinstance(other, EncodedGlyph):
        return one.embedding.tobytes() == other.embedding.tobytes() and np.array_equal(one.raster, other.raster)
    return type(one) is type(other) and vars(one) == vars(other) and str(one) == str(other)


def blank_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 60), "white").save(buffer, "PNG")
    return buffer.getvalue()


DRAWINGS = {
    "strokes": CROSS,
    "a ring": to_glyph(ring(3)),
    "a ladder": to_glyph(ladder(2)),
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
def test_a_worker_encodes_as_the_server_does_to_the_last_bit(
    name: str, local: LocalBatchEncoder, pool: EncoderPool
) -> None:
    (expected,), found = local.encode([DRAWINGS[name]]), pool.encode([DRAWINGS[name]])
    assert found is not None and len(found) == 1 and is_same(found[0], expected)


def test_a_micro_batch_of_all_drawings(local: LocalBatchEncoder, pool: EncoderPool) -> None:
    glyphs = list(DRAWINGS.values())
    found, expected = pool.encode(glyphs), local.encode(glyphs)
    assert found is not None and all(map(is_same, found, expected)) and len(found) == len(expected)
    assert {type(one) for one in found} == {EncodedGlyph, InvalidInput}
    assert pool.encode([]) == []


points = st.lists(st.tuples(st.floats(-20, 300), st.floats(-20, 300)), min_size=1, max_size=30)
strokes = points.map(lambda line: Stroke(tuple(x for x, _ in line), tuple(y for _, y in line)))


@given(st.lists(strokes, max_size=5), st.floats(0, 40))
def test_any_strokes(local: LocalBatchEncoder, pool: EncoderPool, drawn: list[Stroke], pen: float) -> None:
    glyph = Glyph(ink=Ink(tuple(drawn), 280.0, 280.0, pen))
    found = pool.encode([glyph])
    assert found is not None and is_same(found[0], local.encode([glyph])[0])


def test_no_worker_answers_before_the_first_is_ready_or_after_close(weights_dir: Path) -> None:
    before = encoder_workers(os.getpid())
    pool = EncoderPool(weights_dir, 2)
    assert encoder_workers(os.getpid()) == before  # it is lazy
    assert pool.encode([CROSS]) is None
    wait_until(lambda: pool.encode([CROSS]))
    pool.close()
    assert pool.encode([CROSS]) is None
    wait_until(lambda: encoder_workers(os.getpid()) == before)


def test_a_killed_worker_is_replaced(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    before = encoder_workers(os.getpid())
    pool = start()
    (pid,) = set(encoder_workers(os.getpid())) - set(before)
    os.kill(pid, signal.SIGKILL)
    with caplog.at_level(logging.WARNING):
        assert pool.encode([CROSS]) is None
    assert "lost an encoder worker" in caplog.text
    wait_until(lambda: pool.encode([CROSS]))
    assert pid not in encoder_workers(os.getpid())


def test_an_unresponsive_worker_is_killed(start: Start) -> None:
    before = encoder_workers(os.getpid())
    pool = start(response=0.5)
    (pid,) = set(encoder_workers(os.getpid())) - set(before)
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    assert pool.encode([CROSS]) is None
    assert time.monotonic() - began < 5
    wait_until(lambda: pool.encode([CROSS]))


def test_idle_workers_are_ended_and_restarted_on_demand(start: Start) -> None:
    before = encoder_workers(os.getpid())
    pool = start(count=2, idle=0.5)
    wait_until(lambda: encoder_workers(os.getpid()) == before)
    assert pool.encode([CROSS]) is None
    wait_until(lambda: pool.encode([CROSS]))


def test_workers_ignore_ctrl_c(start: Start) -> None:
    before = encoder_workers(os.getpid())
    pool = start()
    (pid,) = set(encoder_workers(os.getpid())) - set(before)
    os.kill(pid, signal.SIGINT)  # which it would meet before the next drawing
    assert pool.encode([CROSS]) and pid in encoder_workers(os.getpid())


def test_without_workers_the_server_encodes_by_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pool = EncoderPool(tmp_path, 1)  # a folder without weights
    with caplog.at_level(logging.WARNING):
        assert pool.encode([CROSS]) is None
        wait_until(lambda: "could not be started" in caplog.text)
        assert pool.encode([CROSS]) is None
    pool.close()


def test_a_worker_survives_a_malformed_request_and_ends_with_its_input(weights_dir: Path) -> None:
    line = [sys.executable, "-m", "haleganada_server.encoder_worker", str(weights_dir)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        assert read_frame(process.stdout) == ({"ready": load_weights(weights_dir).hash}, b"")
        write_frame(process.stdin, {"glyphs": "nonsense"})
        answer = read_frame(process.stdout)
        assert answer and "failed" in answer[0]
        write_frame(process.stdin, *pack_request([CROSS]))
        answer = read_frame(process.stdout)
        assert answer and isinstance(unpack_response(answer)[0], EncodedGlyph)
        process.stdin.close()
        assert process.wait(10) == 0


def test_it_needs_no_transport_no_database_and_no_torch() -> None:
    code = "import sys, haleganada_server.encoder_worker; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"grpc", "google.protobuf", "haleganada", "sqlite3", "torch", "onnx"} & set(loaded)
