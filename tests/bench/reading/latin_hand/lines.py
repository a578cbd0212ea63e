"""Lines of handwriting to train on: those of hands, changed a little each time, and some drawn with script fonts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.training.common.augment import mix_seed
from haleganada_server.training.lines.augment import augment_line
from haleganada_server.training.lines.rendering.command import draw_line
from haleganada_server.training.lines.rendering.fonts import LineFont, find_fonts
from haleganada_server.training.lines.rendering.texts import LineTexts

from tests.bench.reading.latin_hand.hands import load_hands
from tests.bench.reading.long_training import OTHER_LINES
from tests.bench.reading.sets import Line

_SHARES = {"copiste_lines_fr": 0.42, "poilus_lines_fr": 0.26, "stanford_letters_en": 0.1}
"""Of the lines; the rest is drawn."""

_UNCHANGED = 0.1  # of the lines of hands
_LEARNED = 60_000  # texts
_FONTS = "*-latin-400-normal.woff"  # one weight of each, so that all are equally frequent


@dataclass(frozen=True, eq=False)
class HandSource:
    """Where lines come from. hands: lines by their set. texts: of drawn lines, equally frequent."""

    hands: Mapping[str, Sequence[Line]]
    texts: Sequence[LineTexts]
    fonts: Sequence[LineFont]
    seed: int

    @staticmethod
    def open(data: Path, texts: Path, fonts: Path, seed: int) -> HandSource:
        """texts: the folder that texts.py writes. fonts: in which npm has installed them. Raises InvalidInput."""
        hands = {folder: load_hands(data, folder)[Part.TRAIN] for folder in _SHARES}
        files = sorted(texts.glob("*.txt"))
        return HandSource(
            hands,
            [LineTexts.of_text(file.read_text(encoding="utf-8")) for file in files],
            find_fonts(sorted(fonts.rglob(_FONTS))),
            seed,
        )

    def draw(self, number: int) -> Line:
        """Return a line; equal numbers give equal lines."""
        rng = np.random.default_rng(mix_seed(self.seed, number))
        kind = rng.random()
        for folder, share in _SHARES.items():
            if kind < share:
                line = self.hands[folder][int(rng.integers(len(self.hands[folder])))]
                changed = rng.random() >= _UNCHANGED
                return Line(augment_line(line.gray, self.seed, 0, number), line.text) if changed else line
            kind -= share
        drawn = draw_line(self._choose_texts(rng), self.fonts, rng)
        return Line(augment_line(drawn.picture, self.seed, 0, number), drawn.text)

    def list_texts(self) -> list[str]:
        """Return texts as they are drawn, of which the order of symbols is learned."""
        rng = np.random.default_rng(mix_seed(self.seed, OTHER_LINES))
        written = [line.text for lines in self.hands.values() for line in lines]
        return [*written, *(self._choose_texts(rng).draw(rng) for _ in range(_LEARNED))]

    def _choose_texts(self, rng: np.random.Generator) -> LineTexts:
        return self.texts[int(rng.integers(len(self.texts)))]
