"""A drawing is sent in less than 2 KB, and looks as it was drawn."""

from __future__ import annotations

import json
import math
import random
from itertools import pairwise

import pytest

from tests.e2e.handwriting import letters, write_letter
from tests.e2e.web.browser import Page, missing
from tests.support.slow import slow_rows

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
MOST_BYTES = 2048
STEPS = 6  # points of a fast screen between two of the hand's
WATCH = """
window.sent = [];
const send = window.fetch;
window.fetch = (address, options) => {
  if (options?.body) sent.push([String(address), options.body]);
  return send(address, options);
};
"""
Place = tuple[float, float]


def as_a_fast_screen_tells(strokes: list[list[Place]], dice: random.Random) -> list[list[Place]]:
    """The same strokes with many more points, each a little beside the line, as a hand and a sensor put them."""

    def between(start: Place, end: Place, step: int) -> Place:
        x, y = (a + (b - a) * step / STEPS + dice.gauss(0, 0.0003) for a, b in zip(start, end, strict=True))
        return x, y

    return [
        [between(start, end, step) for start, end in pairwise(stroke) for step in range(STEPS)] for stroke in strokes
    ]


def distance(place: Place, start: Place, end: Place) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = ((place[0] - start[0]) * dx + (place[1] - start[1]) * dy) / (dx * dx + dy * dy or 1)
    share = min(1.0, max(0.0, along))
    return math.hypot(place[0] - start[0] - share * dx, place[1] - start[1] - share * dy)


@pytest.mark.parametrize(("hands", "every"), [(1, 6), *slow_rows((12, 1))])
def test_a_drawing_is_small_and_looks_the_same(fresh: Page, hands: int, every: int) -> None:
    fresh.run(WATCH)
    sizes = []
    for hand in range(hands):
        for letter in letters()[::every]:
            drawn = as_a_fast_screen_tells(write_letter(letter, hand), random.Random(hand))
            fresh.draw(drawn)
            fresh.kind()
            body = json.loads(fresh.run("return sent.findLast(([address]) => address.includes('predict'))[1]"))
            sizes.append(len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()))
            side = body["ink"]["width"]
            for stroke, points in zip(body["ink"]["strokes"], drawn, strict=True):
                line = list(zip(stroke["x"], stroke["y"], strict=True))
                assert len(stroke["x"]) == len(stroke["time_ms"])
                for x, y in points:
                    place = (x * side, y * side)
                    off = min(distance(place, *ends) for ends in pairwise(line))
                    assert off < 0.0025 * side, "no line is elsewhere than it was drawn"
            fresh.press("#clear")
    fresh.draw(drawn)
    fresh.teach("ಅ")
    taught = fresh.run("return sent.findLast(([address]) => address.includes('train'))[1]")
    assert max(sizes) <= MOST_BYTES and len(taught.encode()) <= MOST_BYTES, (max(sizes), len(taught))
