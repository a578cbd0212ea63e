"""Items that end the process which works on them: found, so that each becomes a row with an error.

Ray gives a block whose worker died to another one. That one takes its items one by one and notes where it is, so that
the next one knows at which item a process has died again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from haleganada_server.core.error_reasons import Reason

from .items import Item
from .rows import Row, make_error_row

_AGAIN = "again"


class Attempts:
    """The notes about the blocks that are being worked on, in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def make_rows(self, number: int, items: Sequence[Item], make: Callable[[Sequence[Item]], list[Row]]) -> list[Row]:
        """Return the rows of a block. make: returns those of some of its items."""
        note = self._folder / str(number)
        try:
            if not note.exists():
                note.touch()
                return make(items)
            deadly = _find_deadly(note.read_text())
            with note.open("a") as file:
                file.write(f"{_AGAIN}\n")
                rows = []
                for index, item in enumerate(items):
                    file.write(f"{index}\n")
                    file.flush()
                    rows += [_refuse(item)] if index in deadly else make([item])
            return rows
        finally:  # but not if the process dies
            note.unlink(missing_ok=True)


def _find_deadly(noted: str) -> set[int]:
    """Return at which items processes have died: the last one of each attempt."""
    attempts = [attempt.split() for attempt in noted.split(_AGAIN)]
    return {int(attempt[-1]) for attempt in attempts if attempt}


def _refuse(item: Item) -> Row:
    message = "the process that worked on it died, twice; it may need more memory than there is"
    return make_error_row(item, message, Reason.PROCESS_KILLED.value)
