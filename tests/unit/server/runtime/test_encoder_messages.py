"""Drawings and what is seen of them, to another process and back: exact to the last bit."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from haleganada_server.core.errors import Exhausted, InvalidInput
from haleganada_server.core.glyphs.ports import Seen
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.runtime.encoder_messages import (
    Message,
    pack_answer,
    pack_question,
    unpack_answer,
    unpack_question,
)
from hypothesis import given
from hypothesis import strategies as st

numbers = st.floats()  # also those that no drawing may have: the other side shall refuse them as this one does
channels = st.lists(numbers, max_size=6).map(tuple)
inks = st.builds(Ink, st.lists(st.builds(Stroke, *[channels] * 4), max_size=4).map(tuple), numbers, numbers, numbers)
glyphs = st.one_of(st.builds(Glyph, ink=inks), st.builds(Glyph, image=st.binary(max_size=50)))


def sent(message: Message) -> Message:
    facts, payload = message
    return json.loads(json.dumps(facts, allow_nan=False)), payload


def bits(glyph: Glyph) -> object:
    """A glyph so that equal means equal in every bit, also for NaN and minus zero."""
    if glyph.ink is None:
        return glyph.image
    ink = glyph.ink
    strokes = [[_bits(channel) for channel in (s.x, s.y, s.t, s.pressure)] for s in ink.strokes]
    return strokes, _bits((ink.width, ink.height, ink.pen_width))


def _bits(values: tuple[float, ...]) -> bytes:
    return struct.pack(f"{len(values)}d", *values)


@given(st.lists(glyphs, max_size=5))
def test_drawings(drawings: list[Glyph]) -> None:
    arrived = unpack_question(sent(pack_question(drawings)))
    assert [bits(glyph) for glyph in arrived] == [bits(glyph) for glyph in drawings]


def test_an_empty_picture_is_not_the_same_as_none() -> None:
    assert unpack_question(sent(pack_question([Glyph(image=b"")]))) == [Glyph(image=b"")]
    assert unpack_question(sent(pack_question([Glyph()]))) == [Glyph()]


def test_answers() -> None:
    dice = np.random.default_rng(2)
    read = [
        Seen(dice.normal(size=7).astype(np.float32), dice.integers(0, 256, (12, 12)).astype(np.uint8)) for _ in range(3)
    ]
    refused = InvalidInput("glyph.image", "is no picture – send “one”")
    answers = unpack_answer(sent(pack_answer([read[0], refused, read[1], read[2]])))
    found = [answer for answer in answers if isinstance(answer, Seen)]
    assert len(found) == 3 and isinstance(answers[1], InvalidInput)
    for before, after in zip(read, found, strict=True):
        assert np.array_equal(before.embedding, after.embedding) and np.array_equal(before.raster, after.raster)
        assert after.embedding.dtype == np.float32 and after.raster.dtype == np.uint8
        assert after.embedding.base is None and after.raster.base is None  # keeps nothing else in memory
    assert vars(answers[1]) == vars(refused) and answers[1].reason == refused.reason


def test_only_refusals() -> None:
    answers = unpack_answer(sent(pack_answer([InvalidInput("glyph", "is missing")])))
    assert [str(answer) for answer in answers] == ["glyph: is missing"]
    assert unpack_answer(sent(pack_answer([]))) == []


def test_another_error_is_no_answer() -> None:
    with pytest.raises(Exhausted):
        pack_answer([Exhausted("no room", "FULL")])
