"""Drawings that are encoded together: each has the raster and the embedding that it has alone, to the last bit."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import grpc
import numpy as np
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1.common_pb2 import Glyph as GlyphMessage
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.combining import CombiningEncoder
from haleganada_server.core.glyphs.ports import EncodedGlyph
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.rpc.convert.common import glyph as to_glyph
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import PillowRasterizer, network_input
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import RunningServer
from tests.contract.drawings import blank, cross, ladder, picture, ring

CLIENTS = 16


@pytest.fixture(scope="module")
def encoder(weights_dir: Path) -> CombiningEncoder:
    """Encodes as the server does."""
    weights = load_weights(weights_dir)
    embedder = OnnxEmbedder(weights, partial(network_input, side=weights.side), threads=2)
    return CombiningEncoder(PillowRasterizer(), embedder)


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
    "strokes": to_glyph(cross()),
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


def test_calls_at_once_are_encoded_as_alone(encoder: CombiningEncoder) -> None:
    glyphs = list(DRAWINGS.values()) * 4
    alone = [encoder.encode([glyph], 1)[0] for glyph in glyphs]
    with ThreadPoolExecutor(CLIENTS) as pool:
        found = [outcome for (outcome,) in pool.map(lambda glyph: encoder.encode([glyph], 1), glyphs)]
    assert all(map(is_same, found, alone)) and len(found) == len(alone)
    assert {type(one) for one in found} == {EncodedGlyph, InvalidInput}


def test_a_batch_is_encoded_as_its_drawings_are(encoder: CombiningEncoder) -> None:
    glyphs = list(DRAWINGS.values())
    alone = [encoder.encode([glyph], 1)[0] for glyph in glyphs]
    assert all(map(is_same, encoder.encode(glyphs, len(glyphs)), alone))
    assert all(map(is_same, encoder.encode_alone(glyphs), alone))
    assert encoder.encode([], 0) == []


points = st.lists(st.tuples(st.floats(-20, 300), st.floats(-20, 300)), min_size=1, max_size=30)
strokes = points.map(lambda line: Stroke(tuple(x for x, _ in line), tuple(y for _, y in line)))
inks = st.lists(strokes, max_size=5).map(lambda drawn: Glyph(ink=Ink(tuple(drawn), 280.0, 280.0)))


@given(st.lists(inks, min_size=1, max_size=9))
def test_any_strokes(encoder: CombiningEncoder, glyphs: list[Glyph]) -> None:
    alone = [encoder.encode([glyph], 1)[0] for glyph in glyphs]
    assert all(map(is_same, encoder.encode(glyphs, len(glyphs)), alone))


def test_many_callers_get_the_answers_of_one(server: RunningServer, workspace: str) -> None:
    """Bad drawings, and callers that do not wait, change nothing for those beside them."""
    drawn = [cross(), ring(), ladder(), ring(3), ladder(2)]
    for number, glyph in enumerate(drawn):
        server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=glyph, label=f"L{number}"))

    def ask(glyph: GlyphMessage) -> object:
        request = ocr.PredictRequest(workspace=workspace, glyph=glyph, min_revision=len(drawn))
        try:
            answer = server.ocr.Predict(request)
        except grpc.RpcError as error:
            return error.code()
        return [(candidate.label, candidate.probability) for candidate in answer.candidates]

    def leave() -> None:
        with suppress(grpc.RpcError):
            server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross()), timeout=0.003)

    kinds = [*drawn, GlyphMessage(image=blank()), GlyphMessage(image=b"no picture")]
    alone = [ask(glyph) for glyph in kinds]
    assert alone[-1] is alone[-2] is grpc.StatusCode.INVALID_ARGUMENT
    with ThreadPoolExecutor(2) as impatient, ThreadPoolExecutor(CLIENTS) as pool:
        for _ in range(20):
            impatient.submit(leave)
        for _ in range(3):
            assert list(pool.map(ask, kinds * 4)) == alone * 4
