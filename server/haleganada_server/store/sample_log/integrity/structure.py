"""Lets SQLite check the structure of a large file in a thread of its own, beside the comparison of its rows.

SQLite needs no interpreter meanwhile, so that a second core does it: opening takes no longer than without checksums.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class StructureCheck:
    """A check that runs while the block of a with statement does; the block's end waits for it."""

    def __init__(self, find_problems: Callable[[], object]) -> None:
        """find_problems: returns something true if the file is not sound; may raise anything."""
        self._find_problems = find_problems
        self._sound = False
        self._thread = threading.Thread(target=self._run, name="structure", daemon=True)

    def __enter__(self) -> StructureCheck:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def is_sound(self) -> bool:
        """Wait for the end; return whether the file could be read and is sound."""
        self._thread.join()
        return self._sound

    def _run(self) -> None:
        try:
            self._sound = not self._find_problems()
        except Exception:  # who checks again meets it, too, and can say what it means
            self._sound = False
