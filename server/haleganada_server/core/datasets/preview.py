"""Previews of drawings as a network receives them: the request and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .dataset import DatasetInfo


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """preset: the one whose input is shown. drawings: number of rows, 1 to 64. views: augmented views of each drawing,
    1 to 16. seed: chooses both.
    """

    preset: str
    drawings: int
    views: int
    seed: int


@dataclass(frozen=True, slots=True)
class PreviewSheet:
    """sheet: a PNG with one row for each drawing: its label, then the drawing itself, then its views, enlarged. labels:
    of the rows. side: of one picture as the network receives it, in px.
    """

    sheet: bytes
    labels: tuple[str, ...]
    side: int


class DatasetPreviewer(Protocol):
    """Draws previews."""

    def draw_sheet(self, info: DatasetInfo, folder: Path, request: PreviewRequest) -> PreviewSheet:
        """Draw a preview. Raises Precondition if training is not installed, InvalidInput for an unknown preset."""
