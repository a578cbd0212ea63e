"""The one folder of the server's own disk from which callers may read, if there is one."""

from __future__ import annotations

from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import InvalidInput, NotFound, Precondition


class AllowedFolder:
    """A folder, or None for nothing at all."""

    def __init__(self, root: Path | None) -> None:
        self._root = root.resolve() if root is not None else None

    def place(self, path: str) -> Path:
        """A file or folder below it, with all links followed; path: as callers name it, relative to the folder or
        absolute. Raises Precondition without a folder, InvalidInput for what is not below it, NotFound.
        """
        if self._root is None:
            raise Precondition(
                "this server reads no data sets from its own disk; upload the file, or start the server with "
                "--datasets-from FOLDER",
                Reason.DATASETS_FROM_NOT_SET,
            )
        try:
            found = (self._root / path).resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a zero byte, a link in a circle
            raise InvalidInput("path", "is not a path; name a file or folder below the one the server reads") from error
        if not found.is_relative_to(self._root):
            raise InvalidInput("path", "is not below the folder that the server reads data sets from")
        if not found.exists():
            raise NotFound("path", path[:200], "name a file or folder below the one the server reads")
        return found
