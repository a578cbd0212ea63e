"""Lines of a data set as a network receives them in training: each as it is, and below that as it is augmented."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.models.card import LineInput
from haleganada_server.training.common.lettering import Lettering
from haleganada_server.training.lines.augment import augment_line
from haleganada_server.training.lines.data import LineData
from haleganada_server.vision.line_pictures import make_line_input

_GAP = 4  # px between two views
_TEXT = 20  # px
_INK, _GROUND = (0, 0, 0), (200, 220, 240)

Views = list[NDArray[np.float32]]
"""Pictures of one line in 0..1, 1 = paper."""


def choose_lines(data: LineData, lines: int, seed: int) -> list[int]:
    """Return random lines of the training part."""
    return [int(line) for line in np.random.default_rng(seed).permutation(data.part(Part.TRAIN))[:lines]]


def render_lines(data: LineData, shape: LineInput, chosen: Sequence[int], views: int, seed: int) -> list[Views]:
    """Return each line as it is, then as in the epochs 1 to `views` of a training with that seed."""
    found = []
    for line in chosen:
        gray = data.picture(line)
        seen = [gray, *(augment_line(gray, seed, epoch, line) for epoch in range(1, views + 1))]
        found.append([make_line_input(one, shape) for one in seen])
    return found


def draw_line_sheet(lines: Sequence[Views], texts: Sequence[str]) -> bytes:
    """Draw the views of each line below its text, as a PNG."""
    width = max(view.shape[1] for views in lines for view in views) + 2 * _GAP
    heights = [2 * _TEXT + sum(view.shape[0] + _GAP for view in views) for views in lines]
    sheet = Image.new("RGB", (width, sum(heights)), _GROUND)
    lettering, pen, top = Lettering.for_labels(texts), ImageDraw.Draw(sheet), 0
    for views, text, height in zip(lines, texts, heights, strict=True):
        lettering.draw(pen, (_GAP, top + _TEXT), text, _TEXT, _INK, width=width - 2 * _GAP)
        below = top + 2 * _TEXT
        for view in views:
            sheet.paste(Image.fromarray(np.asarray(view * 255, np.uint8)), (_GAP, below))
            below += view.shape[0] + _GAP
        top += height
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
