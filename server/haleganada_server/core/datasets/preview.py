"""A look at drawings as a network receives them: what is asked for and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .dataset import DatasetInfo


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """preset: whose input is shown. drawings: 1 to 64 rows. views: 1 to 16 augmented ones of each. seed: of both."""

    preset: str
    drawings: int
    views: int
    seed: int


@dataclass(frozen=True, slots=True)
class PreviewSheet:
    """sheet: a PNG, one row for each drawing, its label and first as it is, enlarged. labels: of the rows. side: of one
    picture as the network receives it, in px.
    """

    sheet: bytes
    labels: tuple[str, ...]
    side: int


class DatasetPreviewer(Protocol):
    """Draws such sheets."""

    def draw_sheet(self, info: DatasetInfo, folder: Path, wish: PreviewRequest) -> PreviewSheet:
        """Raises Precondition without what training needs, InvalidInput for an unknown preset."""
