"""Content in memory that changes as a file beside a running server does."""

from __future__ import annotations

from collections.abc import Hashable, Sized
from typing import Generic, TypeVar

Content = TypeVar("Content", bound=Sized)


class Kept(Generic[Content]):
    """core.watched.Source. failure: what reading raises."""

    def __init__(self, content: Content) -> None:
        self._content, self._changes = content, 0
        self.failure: Exception | None = None

    def change(self, content: Content) -> None:
        """Keep something else from now on."""
        self._content = content
        self._changes += 1

    def stamp(self) -> Hashable:
        return self._changes

    def read(self) -> Content:
        if self.failure is not None:
            raise self.failure
        return self._content
