"""Families of characters: what one batch must tell apart.

A batch of unrelated characters is soon easy. So characters come in families of look-alikes: letters of one alphabet,
syllables sharing a base or a sign, and a character with neighbors that differ in one stroke.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .library import FontScript, Library, Written
from .polylines import Drawing, quarter_turn, rotation
from .rasters import Raster, draw, warp

Character = Callable[[np.random.Generator, int, int], list[Raster]]
"""Draws a character that many times, each time as by another hand, as rasters of that side."""
Family = list[Character]


@dataclass(frozen=True)
class Mixture:
    """How often each kind of family is drawn."""

    omniglot: float = 0.54
    pens: float = 0.05
    fonts: float = 0.25
    hanzi: float = 0.06
    compositions: float = 0.08
    english: float = 0.02


class Families:
    """Draws random families from a library."""

    def __init__(self, library: Library, mixture: Mixture | None = None) -> None:
        self.library = library
        m = mixture or Mixture()
        options: list[tuple[float, Callable[[np.random.Generator, int], Family], bool]] = [
            (m.omniglot, self._omniglot, bool(library.omniglot)),
            (m.pens, self._pens, bool(library.pens)),
            (m.fonts, self._fonts, bool(library.fonts)),
            (m.hanzi, self._hanzi, bool(library.hanzi)),
            (m.compositions, self._composition, bool(library.strokes)),
            (m.english, self._english, bool(library.english)),
        ]
        present = [(weight, make) for weight, make, there in options if there]
        self._makers = [make for _, make in present]
        weights = np.array([weight for weight, _ in present])
        self._weights = weights / weights.sum()

    def family(self, rng: np.random.Generator, size: int) -> Family:
        """`size` different characters that belong together."""
        return self._makers[int(rng.choice(len(self._makers), p=self._weights))](rng, size)

    def _omniglot(self, rng: np.random.Generator, size: int) -> Family:
        return _alphabet_family(self.library.omniglot, rng, size, int(rng.integers(4)), bool(rng.integers(2)))

    def _english(self, rng: np.random.Generator, size: int) -> Family:
        return _alphabet_family(self.library.english, rng, size, 0, False)

    def _pens(self, rng: np.random.Generator, size: int) -> Family:
        alphabets = self.library.pens
        alphabet = alphabets[_by_size(alphabets, rng)]
        symmetry = quarter_turn(int(rng.integers(4)), bool(rng.integers(2)))
        chosen = rng.choice(len(alphabet), min(size, len(alphabet)), replace=False)
        return [_drawn(alphabet[i], symmetry, 0.6) for i in chosen] + self._rest(rng, size - len(chosen))

    def _fonts(self, rng: np.random.Generator, size: int) -> Family:
        script = self.library.fonts[_by_size([s.units for s in self.library.fonts], rng)]
        chosen = _neighboring(script, rng, size)
        # Fonts stand upright in use; turned, they are further characters.
        turned = rng.random() < 0.3
        symmetry = quarter_turn(int(rng.integers(4)), bool(rng.integers(2))) if turned else np.eye(2)
        return [_drawn(script.drawings[i], symmetry, 0.9) for i in chosen] + self._rest(rng, size - len(chosen))

    def _hanzi(self, rng: np.random.Generator, size: int) -> Family:
        whole = self.library.hanzi[int(rng.integers(len(self.library.hanzi)))].strokes()
        n = min(len(whole), int(rng.integers(1, 8)))
        first = int(rng.integers(len(whole) - n + 1))
        symmetry = quarter_turn(int(rng.integers(4)), False)
        base = Drawing.of(whole[first : first + n]).center().mapped(symmetry)
        return self._variants(base, rng, size)

    def _composition(self, rng: np.random.Generator, size: int) -> Family:
        strokes: list[NDArray[np.float32]] = []
        for _ in range(int(rng.integers(1, 6))):
            strokes.append(self._placed_stroke(strokes, rng))
        return self._variants(Drawing.of(strokes).center(), rng, size)

    def _placed_stroke(self, present: list[NDArray[np.float32]], rng: np.random.Generator) -> NDArray[np.float32]:
        """A random pen stroke, mostly attached to a random point of the strokes that are there."""
        pool = self.library.strokes or [s for d in self.library.hanzi[:500] for s in d.strokes()]
        stroke = Drawing.of([pool[int(rng.integers(len(pool)))]]).center().points
        turn = rotation(rng.integers(4) * np.pi / 2 + rng.normal(0, 0.2))
        stroke = (stroke @ turn.T * rng.uniform(0.3, 1.0)).astype(np.float32)
        if present and rng.random() < 0.7:
            host = present[int(rng.integers(len(present)))]
            shift = host[int(rng.integers(len(host)))] - stroke[int(rng.integers(len(stroke)))]
        else:
            shift = rng.normal(0, 0.3, 2)
        placed: NDArray[np.float32] = (stroke + shift).astype(np.float32)
        return placed

    def _variants(self, base: Drawing, rng: np.random.Generator, size: int) -> Family:
        """The base and characters that differ from it by one or two strokes, half of a family; the rest others."""
        drawings = [base]
        while len(drawings) < (size + 1) // 2:
            drawings.append(self._one_stroke_changed(drawings[int(rng.integers(len(drawings)))], rng))
        family = [_drawn([d], np.eye(2), 1.0) for d in drawings]
        return family + self._rest(rng, size - len(family))

    def _one_stroke_changed(self, base: Drawing, rng: np.random.Generator) -> Drawing:
        """A near neighbor: one stroke removed, replaced, mirrored, or added."""
        strokes = [s.copy() for s in base.strokes()]
        i = int(rng.integers(len(strokes)))
        action = rng.random()
        if action < 0.25 and len(strokes) > 1:
            del strokes[i]
        elif action < 0.5 and len(strokes) > 1:
            del strokes[i]
            strokes.append(self._placed_stroke(strokes, rng))
        elif action < 0.65 and len(strokes) > 1 and len(strokes[i]) > 3:
            mirror = np.array([-1, 1] if rng.random() < 0.5 else [1, -1], np.float32)
            middle = (strokes[i].min(0) + strokes[i].max(0)) / 2
            strokes[i] = (strokes[i] - middle) * mirror + middle
            strokes[i] += (rng.choice([-1, 1], 2) * rng.uniform(0.15, 0.3, 2)).astype(np.float32)
        else:
            strokes.append(self._placed_stroke(strokes, rng))
        return Drawing.of(strokes).center()

    def _rest(self, rng: np.random.Generator, size: int) -> Family:
        """Fill a family up with another one."""
        return self.family(rng, size)[:size] if size > 0 else []


def _by_size(groups: Sequence[Sequence[object]], rng: np.random.Generator) -> int:
    """An index, larger groups being likelier."""
    sizes = np.sqrt(np.array([len(g) for g in groups], float))
    return int(rng.choice(len(groups), p=sizes / sizes.sum()))


def _alphabet_family(
    alphabets: list[list[Written]], rng: np.random.Generator, size: int, quarters: int, mirrored: bool
) -> Family:
    """Characters of one alphabet, all under one symmetry."""
    alphabet = alphabets[_by_size(alphabets, rng)]
    chosen = rng.choice(len(alphabet), min(size, len(alphabet)), replace=False)
    symmetry = quarter_turn(quarters, mirrored)
    return [_written(alphabet[i], symmetry) for i in chosen]


def _written(character: Written, symmetry: NDArray[np.float64]) -> Character:
    """Real drawings by different hands, some as scans and some through their traced lines."""

    def drawings(rng: np.random.Generator, n: int, side: int) -> list[Raster]:
        scans = character.scans
        assert scans is not None
        order = rng.permutation(len(scans))
        out = []
        for k in range(n):
            if character.drawings and rng.random() < 0.35:
                traced = character.drawings[order[k % len(order)] % len(character.drawings)]
                out.append(draw(traced.mapped(symmetry), rng, 0.5, side))
            else:
                out.append(warp(scans[order[k % len(order)]], rng, symmetry, side))
        return out

    return drawings


def _drawn(variants: list[Drawing], symmetry: NDArray[np.float64], strength: float) -> Character:
    """A character known as polylines, by one or several drawers."""

    def drawings(rng: np.random.Generator, n: int, side: int) -> list[Raster]:
        order = rng.permutation(len(variants))
        return [draw(variants[order[k % len(order)]].mapped(symmetry), rng, strength, side) for k in range(n)]

    return drawings


def _neighboring(script: FontScript, rng: np.random.Generator, size: int) -> list[int]:
    """Units of a script: half of the time those that share the base or the sign of one of them."""
    units = script.units
    seed = units[int(rng.integers(len(units)))]
    key = rng.random()
    alike = list(range(len(units)))
    if key < 0.35:
        alike = [i for i, u in enumerate(units) if u.base == seed.base]
    elif key < 0.6 and seed.sign:
        alike = [i for i, u in enumerate(units) if u.sign == seed.sign]
    chosen = rng.choice(len(alike), min(size, len(alike)), replace=False)
    return [alike[i] for i in chosen]
