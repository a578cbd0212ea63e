"""What each kind of document implements."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.page import TextLine


class Document(Protocol):
    """An open document. close() it once. Pages are numbered from 1; methods raise NotFound for other numbers, and
    Precondition or Exhausted for a page that cannot be drawn.
    """

    pages_total: int

    def draw(self, page: int) -> NDArray[np.uint8]:
        """Return a page as a viewer shows it: (height, width, 3) RGB."""

    def text_lines(self, page: int) -> list[TextLine]:
        """Return the text that the page has already, with polygons in px of draw(page); empty if it has none."""

    def close(self) -> None:
        """Release the file."""
