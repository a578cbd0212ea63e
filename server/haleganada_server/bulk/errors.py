"""How a bulk run ends when it cannot go on."""

from __future__ import annotations


class BulkFailed(Exception):
    """Ends the command with one line that says what to do. status: the exit code, 2 for what was asked wrongly."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
