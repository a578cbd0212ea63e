"""Messages to encoder workers and back: exact to the last bit."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, InvalidInput
from haleganada_server.core.glyphs.ports import EncodedGlyph
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.runtime.processes.encoder_messages import (
    Message,
    pack_request,
    pack_response,
    unpack_request,
    unpack_response,
)
from hypothesis import given
from hypothesis import strategies as st

numbers = st.floats()  # also those that no drawing may have: the worker must refuse them as the server does
channels = st.lists(numbers, max_size=6).map(tuple)
inks = st.builds(Ink, st.lists(st.builds(Stroke, *[channels] * 4), max_size=4).map(tuple), numbers, numbers, numbers)
glyphs = st.one_of(st.builds(Glyph, ink=inks), st.builds(Glyph, image=st.binary(max_size=50)))


def transfer(message: Message) -> Message:
    """Return the message as it arrives at the other end."""
    facts, payload = message
    return json.loads(json.dumps(facts, allow_nan=False)), payload


def bits(glyph: Glyph) -> object:
    """Return a value that is equal only for glyphs equal in every bit, NaN and minus zero included."""
    if glyph.ink is None:
        return glyph.image
    ink = glyph.ink
    strokes = [[_bits(channel) for channel in (s.x, s.y, s.t, s.pressure)] for s in ink.strokes]
    return strokes, _bits((ink.width, ink.height, ink.pen_width))


def _bits(values: tuple[float, ...]) -> bytes:
    return struct.pack(f"{len(values)}d", *values)


@given(st.lists(glyphs, max_size=5))
def test_requests(drawings: list[Glyph]) -> None:
    arrived = unpack_request(transfer(pack_request(drawings)))
    assert [bits(glyph) for glyph in arrived] == [bits(glyph) for glyph in drawings]


def test_an_empty_picture_differs_from_no_picture() -> None:
    assert unpack_request(transfer(pack_request([Glyph(image=b"")]))) == [Glyph(image=b"")]
    assert unpack_request(transfer(pack_request([Glyph()]))) == [Glyph()]


def test_responses() -> None:
    dice = np.random.default_rng(2)
    encoded = [
        EncodedGlyph(dice.normal(size=7).astype(np.float32), dice.integers(0, 256, (12, 12)).astype(np.uint8))
        for _ in range(3)
    ]
    refused = InvalidInput("glyph.image", "is no picture – send “one”")
    answers = unpack_response(transfer(pack_response([encoded[0], refused, encoded[1], encoded[2]])))
    found = [answer for answer in answers if isinstance(answer, EncodedGlyph)]
    assert len(found) == 3 and isinstance(answers[1], InvalidInput)
    for before, after in zip(encoded, found, strict=True):
        assert np.array_equal(before.embedding, after.embedding) and np.array_equal(before.raster, after.raster)
        assert after.embedding.dtype == np.float32 and after.raster.dtype == np.uint8
        assert after.embedding.base is None and after.raster.base is None  # no view that keeps the payload in memory
    assert vars(answers[1]) == vars(refused) and answers[1].reason == refused.reason


def test_a_response_with_errors_only() -> None:
    answers = unpack_response(transfer(pack_response([InvalidInput("glyph", "is missing")])))
    assert [str(answer) for answer in answers] == ["glyph: is missing"]
    assert unpack_response(transfer(pack_response([]))) == []


def test_only_invalid_input_can_be_sent() -> None:
    with pytest.raises(Exhausted):
        pack_response([Exhausted("no room", Reason.DISK_FULL)])
