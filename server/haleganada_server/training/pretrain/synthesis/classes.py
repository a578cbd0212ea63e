"""Families of similar characters, which make up a batch.

A batch of unrelated characters soon becomes easy. So characters come in families of look-alikes: letters of one
alphabet, syllables that share a base or a sign, symbols of similar shape, and a character with neighbors that differ in
one stroke or in one small mark.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .library import FontScript, Library, WrittenCharacter
from .likeness import rank_by_likeness
from .marks import Mark, add_mark, choose_marks, strip_marks
from .polylines import Drawing, rotation_matrix, square_symmetry
from .rasters import Raster, draw, warp

Character = Callable[[np.random.Generator, int, int], list[Raster]]
"""Draws a character n times, each time as if by another hand, as rasters of a given side: (rng, n, side)."""
Family = list[Character]
_LIKENESS = 3
"""A family of similar symbols is drawn from so many times its size of the most similar ones."""


@dataclass(frozen=True)
class Mixture:
    """Weight of each kind of family; probabilities are in proportion to those of which there is material."""

    omniglot: float = 0.54
    pens: float = 0.05
    fonts: float = 0.25
    hanzi: float = 0.06
    compositions: float = 0.08
    english: float = 0.02
    symbols: float = 0.26
    marks: float = 0.15
    """Only beside symbols: the shipped weights learned without either."""


class Families:
    """Random families from a library."""

    def __init__(self, library: Library, mixture: Mixture | None = None) -> None:
        self.library = library
        m = mixture or Mixture()
        options: list[tuple[float, Callable[[np.random.Generator, int], Family], bool]] = [
            (m.omniglot, self._draw_omniglot, bool(library.omniglot)),
            (m.pens, self._draw_pens, bool(library.pens)),
            (m.fonts, self._draw_fonts, bool(library.fonts)),
            (m.hanzi, self._draw_hanzi, bool(library.hanzi)),
            (m.compositions, self._draw_composition, bool(library.strokes)),
            (m.english, self._draw_english, bool(library.english)),
            (m.symbols, self._draw_symbols, bool(library.symbols)),
            (m.marks, self._draw_marks, bool(library.symbols)),
        ]
        present = [(weight, make) for weight, make, is_present in options if is_present]
        self._makers = [make for _, make in present]
        weights = np.array([weight for weight, _ in present])
        self._weights = weights / weights.sum()
        self._similar_symbols = rank_by_likeness(library.symbols)

    def draw_family(self, rng: np.random.Generator, size: int) -> Family:
        """Return `size` different characters of one family."""
        return self._makers[int(rng.choice(len(self._makers), p=self._weights))](rng, size)

    def _draw_omniglot(self, rng: np.random.Generator, size: int) -> Family:
        return _draw_alphabet(self.library.omniglot, rng, size, int(rng.integers(4)), bool(rng.integers(2)))

    def _draw_english(self, rng: np.random.Generator, size: int) -> Family:
        return _draw_alphabet(self.library.english, rng, size, 0, False)

    def _draw_pens(self, rng: np.random.Generator, size: int) -> Family:
        alphabets = self.library.pens
        alphabet = alphabets[_choose_by_size(alphabets, rng)]
        symmetry = square_symmetry(int(rng.integers(4)), bool(rng.integers(2)))
        chosen = rng.choice(len(alphabet), min(size, len(alphabet)), replace=False)
        return [_from_polylines(alphabet[i], symmetry, 0.6) for i in chosen] + self._fill_up(rng, size - len(chosen))

    def _draw_symbols(self, rng: np.random.Generator, size: int) -> Family:
        """Return symbols, mostly from among those that look most like one of them."""
        symbols = self.library.symbols
        similar = self._similar_symbols[int(rng.integers(len(symbols)))]
        pool = similar[: _LIKENESS * size] if rng.random() < 0.7 else similar
        chosen = rng.choice(pool, min(size, len(pool)), replace=False)
        symmetry = square_symmetry(int(rng.integers(4)), bool(rng.integers(2)))
        return [_from_polylines(symbols[i], symmetry, 0.5) for i in chosen] + self._fill_up(rng, size - len(chosen))

    def _draw_marks(self, rng: np.random.Generator, size: int) -> Family:
        """Return two characters with marks: each half of the family differs in nothing else."""
        family: Family = []
        for number in (size - size // 2, size // 2):
            host, is_plain = self._choose_host(rng), rng.random() < 0.5
            symmetry = square_symmetry(int(rng.integers(4)), bool(rng.integers(2))) if rng.random() < 0.3 else np.eye(2)
            bare = [(strip_marks(d) if is_plain else d).transform(symmetry) for d in host]
            family += [_from_marked(bare, mark) for mark in choose_marks(rng, number)]
        return family

    def _choose_host(self, rng: np.random.Generator) -> list[Drawing]:
        """Return drawings of one character: of fonts as often as of pens."""
        fonts, pens = [s.drawings for s in self.library.fonts], [*self.library.pens, self.library.symbols]
        pools = [pool for pool in (fonts, [p for p in pens if p]) if pool]
        groups = pools[int(rng.integers(len(pools)))]
        group = groups[_choose_by_size(groups, rng)]
        return group[int(rng.integers(len(group)))]

    def _draw_fonts(self, rng: np.random.Generator, size: int) -> Family:
        script = self.library.fonts[_choose_by_size([s.units for s in self.library.fonts], rng)]
        chosen = _choose_neighbors(script, rng, size)
        # Fonts are mostly kept upright; rotated, they are further characters.
        is_rotated = rng.random() < 0.3
        symmetry = square_symmetry(int(rng.integers(4)), bool(rng.integers(2))) if is_rotated else np.eye(2)
        return [_from_polylines(script.drawings[i], symmetry, 0.9) for i in chosen] + self._fill_up(
            rng, size - len(chosen)
        )

    def _draw_hanzi(self, rng: np.random.Generator, size: int) -> Family:
        whole = self.library.hanzi[int(rng.integers(len(self.library.hanzi)))].strokes()
        n = min(len(whole), int(rng.integers(1, 8)))
        first = int(rng.integers(len(whole) - n + 1))
        symmetry = square_symmetry(int(rng.integers(4)), False)
        base = Drawing.from_strokes(whole[first : first + n]).center().transform(symmetry)
        return self._make_variants(base, rng, size)

    def _draw_composition(self, rng: np.random.Generator, size: int) -> Family:
        strokes: list[NDArray[np.float32]] = []
        for _ in range(int(rng.integers(1, 6))):
            strokes.append(self._place_stroke(strokes, rng))
        return self._make_variants(Drawing.from_strokes(strokes).center(), rng, size)

    def _place_stroke(self, present: list[NDArray[np.float32]], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return a random pen stroke, mostly attached to a random point of the strokes present."""
        pool = self.library.strokes or [s for d in self.library.hanzi[:500] for s in d.strokes()]
        stroke = Drawing.from_strokes([pool[int(rng.integers(len(pool)))]]).center().points
        turn = rotation_matrix(rng.integers(4) * np.pi / 2 + rng.normal(0, 0.2))
        stroke = (stroke @ turn.T * rng.uniform(0.3, 1.0)).astype(np.float32)
        if present and rng.random() < 0.7:
            host = present[int(rng.integers(len(present)))]
            shift = host[int(rng.integers(len(host)))] - stroke[int(rng.integers(len(stroke)))]
        else:
            shift = rng.normal(0, 0.3, 2)
        placed: NDArray[np.float32] = (stroke + shift).astype(np.float32)
        return placed

    def _make_variants(self, base: Drawing, rng: np.random.Generator, size: int) -> Family:
        """Return the base and characters that differ from it by one or two strokes as half of a family, and others."""
        drawings = [base]
        while len(drawings) < (size + 1) // 2:
            drawings.append(self._change_one_stroke(drawings[int(rng.integers(len(drawings)))], rng))
        family = [_from_polylines([d], np.eye(2), 1.0) for d in drawings]
        return family + self._fill_up(rng, size - len(family))

    def _change_one_stroke(self, base: Drawing, rng: np.random.Generator) -> Drawing:
        """Remove, replace, mirror or add one stroke."""
        strokes = [s.copy() for s in base.strokes()]
        i = int(rng.integers(len(strokes)))
        action = rng.random()
        if action < 0.25 and len(strokes) > 1:
            del strokes[i]
        elif action < 0.5 and len(strokes) > 1:
            del strokes[i]
            strokes.append(self._place_stroke(strokes, rng))
        elif action < 0.65 and len(strokes) > 1 and len(strokes[i]) > 3:
            mirror = np.array([-1, 1] if rng.random() < 0.5 else [1, -1], np.float32)
            middle = (strokes[i].min(0) + strokes[i].max(0)) / 2
            strokes[i] = (strokes[i] - middle) * mirror + middle
            strokes[i] += (rng.choice([-1, 1], 2) * rng.uniform(0.15, 0.3, 2)).astype(np.float32)
        else:
            strokes.append(self._place_stroke(strokes, rng))
        return Drawing.from_strokes(strokes).center()

    def _fill_up(self, rng: np.random.Generator, size: int) -> Family:
        """Return characters of another family to fill one up."""
        return self.draw_family(rng, size)[:size] if size > 0 else []


def _choose_by_size(groups: Sequence[Sequence[object]], rng: np.random.Generator) -> int:
    """Return the index of a random group, with probability proportional to the square root of its size."""
    sizes = np.sqrt(np.array([len(g) for g in groups], float))
    return int(rng.choice(len(groups), p=sizes / sizes.sum()))


def _draw_alphabet(
    alphabets: list[list[WrittenCharacter]], rng: np.random.Generator, size: int, quarters: int, mirrored: bool
) -> Family:
    """Return characters of one alphabet, all under the same symmetry."""
    alphabet = alphabets[_choose_by_size(alphabets, rng)]
    chosen = rng.choice(len(alphabet), min(size, len(alphabet)), replace=False)
    symmetry = square_symmetry(quarters, mirrored)
    return [_from_scans(alphabet[i], symmetry) for i in chosen]


def _from_scans(character: WrittenCharacter, symmetry: NDArray[np.float64]) -> Character:
    """Return a character that draws scans by different writers, some warped and some redrawn from traced lines."""

    def draw_all(rng: np.random.Generator, n: int, side: int) -> list[Raster]:
        scans = character.scans
        assert scans is not None
        order = rng.permutation(len(scans))
        out = []
        for k in range(n):
            if character.drawings and rng.random() < 0.35:
                traced = character.drawings[order[k % len(order)] % len(character.drawings)]
                out.append(draw(traced.transform(symmetry), rng, 0.5, side))
            else:
                out.append(warp(scans[order[k % len(order)]], rng, symmetry, side))
        return out

    return draw_all


def _from_polylines(variants: list[Drawing], symmetry: NDArray[np.float64], strength: float) -> Character:
    """Return a character that draws polylines by one or more writers."""

    def draw_all(rng: np.random.Generator, n: int, side: int) -> list[Raster]:
        order = rng.permutation(len(variants))
        return [draw(variants[order[k % len(order)]].transform(symmetry), rng, strength, side) for k in range(n)]

    return draw_all


def _from_marked(hosts: list[Drawing], mark: Mark | None) -> Character:
    """Return a character that draws polylines by one or more writers, and adds a mark."""

    def draw_all(rng: np.random.Generator, n: int, side: int) -> list[Raster]:
        order = rng.permutation(len(hosts))
        drawings = [hosts[order[k % len(order)]] for k in range(n)]
        return [draw(d if mark is None else add_mark(d, mark, rng), rng, 0.7, side) for d in drawings]

    return draw_all


def _choose_neighbors(script: FontScript, rng: np.random.Generator, size: int) -> list[int]:
    """Choose units of a script, often ones that share a base (35 %) or a sign (25 %)."""
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
