"""The one folder on the server's own disk from which callers may import data sets, if it is set."""

from __future__ import annotations

from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import InvalidInput, NotFound, Precondition


class AllowedFolder:
    """A folder, or None to allow nothing."""

    def __init__(self, root: Path | None) -> None:
        self._root = root.resolve() if root is not None else None

    def resolve(self, path: str) -> Path:
        """Return a file or folder below the allowed one, with all links resolved. path: relative to the folder or
        absolute. Raises Precondition without an allowed folder, InvalidInput for a path outside it, NotFound.
        """
        if self._root is None:
            raise Precondition(
                "this server does not import data sets from its own disk; upload the file, or start the server with "
                "--datasets-from FOLDER",
                Reason.DATASETS_FROM_NOT_SET,
            )
        try:
            resolved = (self._root / path).resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a null byte, a loop of links
            raise InvalidInput("path", "is not a path; name a file or folder below the allowed one") from error
        if not resolved.is_relative_to(self._root):
            raise InvalidInput("path", "is not below the folder from which this server imports data sets")
        if not resolved.exists():
            raise NotFound("path", path[:200], "name a file or folder below the allowed one")
        return resolved
