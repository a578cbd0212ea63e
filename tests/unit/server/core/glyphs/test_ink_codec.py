"""Strokes in the log: nothing is lost, however odd; the first format stays readable; damage is noticed."""

from __future__ import annotations

import json
import random
import struct
import zlib

import pytest
from haleganada_server.core.glyphs.ink_codec import decode_ink, encode_ink
from haleganada_server.core.glyphs.types import Ink, Stroke
from hypothesis import given
from hypothesis import strategies as st

_NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def _a_stroke(draw: st.DrawFn) -> Stroke:
    points = draw(st.integers(1, 30))
    same = st.lists(_NUMBERS, min_size=points, max_size=points).map(tuple)
    return Stroke(draw(same), draw(same), draw(same | st.just(())), draw(same | st.just(())))


@given(st.builds(Ink, st.lists(_a_stroke(), min_size=1, max_size=6).map(tuple), _NUMBERS, _NUMBERS, _NUMBERS))
def test_decoding_is_the_inverse_of_encoding(ink: Ink) -> None:
    assert decode_ink(encode_ink(ink)) == ink


def test_numbers_of_the_contract_take_four_bytes() -> None:
    rng = random.Random(0)
    finer = tuple(rng.uniform(0, 280) for _ in range(100))
    points = struct.unpack("<100f", struct.pack("<100f", *finer))
    short, long = (encode_ink(Ink((Stroke(x, x),), 280, 280)) for x in (points, finer))
    assert len(short) < 0.6 * len(long)


def test_ink_stored_as_json_can_still_be_decoded() -> None:
    old = zlib.compress(json.dumps([280.0, 200.0, 0.0, [[[1.5, 2.0], [3.0, 4.0], [], []]]]).encode())
    assert decode_ink(old) == Ink((Stroke((1.5, 2.0), (3.0, 4.0)),), 280.0, 200.0)


def test_damaged_bytes_are_refused() -> None:
    good = zlib.decompress(encode_ink(Ink((Stroke((1.0, 2.0), (3.0, 4.0)),), 280, 280)))
    for bad in (b"", good[:-1], good[:10], b"[1, 2]"):
        with pytest.raises((ValueError, TypeError)):
            decode_ink(zlib.compress(bad))
    with pytest.raises(zlib.error):
        decode_ink(good)
