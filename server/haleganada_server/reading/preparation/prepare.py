"""The steps of the preparation, one after another."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.options import PreparationStep
from haleganada_server.core.reading.page import StepPicture

from .columns import find_columns
from .ink import Gray, Parts, find_ink, find_parts, reduce_to_gray
from .light import even_light
from .polarity import is_light_on_dark
from .prepared import Box, PreparedPage
from .profile import Direction, find_direction
from .ruled_lines import remove_ruled_lines
from .skew import find_skew, level
from .turn import find_turn, turn

_DEBUG_SIDE = 2_000  # px, of a picture of a step


def prepare(
    picture: NDArray[np.uint8], skipped: frozenset[PreparationStep] = frozenset(), debug: bool = False
) -> PreparedPage:
    """Prepare a page for an engine. picture: (height, width, 3) RGB; is not changed. skipped: steps to leave out.
    debug: keep a PNG after each step.
    """
    preparation = _Preparation(picture, debug)
    for step in PreparationStep:
        if step not in skipped:
            preparation.take(step)
    return PreparedPage(
        picture=preparation.picture,
        to_page=preparation.to_page,
        columns=preparation.columns,
        turn_degrees=preparation.turn_degrees,
        skew_degrees=preparation.skew_degrees,
        step_pictures=tuple(preparation.step_pictures),
    )


class _Preparation:
    """A page on its way. Attributes: see PreparedPage."""

    def __init__(self, picture: NDArray[np.uint8], debug: bool) -> None:
        self.picture = picture
        self.to_page = np.eye(2, 3)
        self.columns: tuple[Box, ...] = ()
        self.turn_degrees: int | None = None
        self.skew_degrees: float | None = None
        self.step_pictures: list[StepPicture] = []
        self._debug = debug
        self._reduced: tuple[NDArray[np.uint8], Gray] | None = None
        self._found: tuple[Gray, Parts] | None = None
        self._direction: Direction | None = None  # of the lines, after the turn
        self._steps = {
            PreparationStep.POLARITY: self._correct_polarity,
            PreparationStep.TURN: self._turn,
            PreparationStep.SKEW: self._level,
            PreparationStep.LIGHT: self._even_light,
            PreparationStep.RULED_LINES: self._remove_ruled_lines,
            PreparationStep.COLUMNS: self._find_columns,
        }

    def take(self, step: PreparationStep) -> None:
        self._steps[step]()
        if self._debug:
            self.step_pictures.append(StepPicture(step.value, _draw_step(self.picture, self.columns)))

    @property
    def _gray(self) -> Gray:
        """The reduced copy of the picture."""
        if self._reduced is None or self._reduced[0] is not self.picture:
            self._reduced = self.picture, reduce_to_gray(self.picture)
        return self._reduced[1]

    @property
    def _parts(self) -> Parts:
        """The parts of its ink."""
        gray = self._gray
        if self._found is None or self._found[0] is not gray:
            self._found = gray, find_parts(find_ink(gray))
        return self._found[1]

    def _correct_polarity(self) -> None:
        if is_light_on_dark(gray := self._gray):
            self.picture = np.asarray(cv2.bitwise_not(self.picture), np.uint8)
            self._reduced = self.picture, 255 - gray

    def _turn(self) -> None:
        found = find_turn(self._gray, self._parts)
        self.turn_degrees = found.degrees
        self._direction = found.direction
        if found.degrees:
            gray, _ = turn(self._gray, found.degrees)
            self.picture, back = turn(self.picture, found.degrees)
            self._reduced = self.picture, gray
            self._map_back(back)

    def _level(self) -> None:
        if self._direction is None and self._parts.is_text:
            self._direction = find_direction(self._parts.drop_large())
        self.skew_degrees = find_skew(self._direction)
        if self.skew_degrees is not None:
            self.picture, back = level(self.picture, self.skew_degrees)
            self._map_back(back)

    def _even_light(self) -> None:
        self.picture = even_light(self.picture, self._gray, self._parts.ink)

    def _remove_ruled_lines(self) -> None:
        self.picture = remove_ruled_lines(self.picture, self._gray)

    def _find_columns(self) -> None:
        self.columns = find_columns(self._parts, self.picture.shape[1::-1])

    def _map_back(self, back: NDArray[np.float64]) -> None:
        """back: (2, 3), maps px of the picture to px of the picture before."""
        self.to_page = self.to_page[:, :2] @ back + np.column_stack([np.zeros((2, 2)), self.to_page[:, 2]])


def _draw_step(picture: NDArray[np.uint8], columns: tuple[Box, ...]) -> bytes:
    """Return a PNG of the picture, reduced, with outlines of its columns."""
    factor = min(1.0, _DEBUG_SIDE / max(picture.shape[:2]))
    size = [max(1, round(side * factor)) for side in picture.shape[1::-1]]
    drawn = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    for left, top, right, bottom in columns:
        first, last = (round(left * factor), round(top * factor)), (round(right * factor), round(bottom * factor))
        cv2.rectangle(drawn, first, last, (200, 0, 0), 3)
    return bytes(cv2.imencode(".png", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))[1])
