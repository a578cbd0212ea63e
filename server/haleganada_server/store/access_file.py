"""Files in DIR/access that commands change beside a running server, which only reads them: private, and sealed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from haleganada_server.core.disk.checksum import NewerFormat, seal, unseal
from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition

from . import files
from .audit import ACCESS_FOLDER, PRIVATE_FILE, lock_folder

Content = TypeVar("Content")
_BROKEN = (ValueError, KeyError, TypeError, AttributeError)


class AccessFile(Generic[Content]):
    """One of these files: core.watched.Source, and its changes."""

    def __init__(
        self,
        path: Path,
        version: int,
        parse: Callable[[Mapping[str, Any]], Content],
        describe: Callable[[Content], Mapping[str, Any]],
        repair: tuple[str, StartReason],
    ) -> None:
        """path: of the file, which need not exist; nothing is created before the first change. version: of its format.
        parse, describe: convert what the file has, without its version; parse gets {} without a file, and may raise
        ValueError, KeyError, TypeError or AttributeError. repair: what to do if the file is damaged, and the reason.
        """
        self._path, self._version, self._parse, self._describe = path, version, parse, describe
        self._advice, self._reason = repair

    def stamp(self) -> Hashable:
        """Return what changes when the file does. Raises OSError."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def read(self) -> Content:
        """Return what the file has. Raises Precondition for one that is damaged or was written by a newer version,
        OSError for one that cannot be read.
        """
        try:
            stored = unseal(json.loads(self._path.read_text(encoding="utf-8")))
            is_newer = stored["format"] > self._version
            content = None if is_newer else self._parse(stored)
        except FileNotFoundError:
            return self._parse({})
        except _BROKEN:  # the content of the file goes into no log
            raise self._refuse(f"is damaged; {self._advice}") from None
        if content is None:
            raise self._refuse("was written by a newer version; update the server") from NewerFormat()
        return content

    def change(self, change: Callable[[Content], Content]) -> None:
        """Replace the content by what `change` makes of it. Nobody else changes it meanwhile. Raises as read(), and
        whatever `change` raises, having changed nothing.
        """
        with lock_folder(self._path.parent):
            entry = seal({"format": self._version, **self._describe(change(self.read()))})
            unfinished = self._path.with_suffix(".new")
            unfinished.unlink(missing_ok=True)
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(entry, file, ensure_ascii=False, indent=1)
            files.give_to_owner_of(self._path.parent, unfinished)
            files.move(unfinished, self._path)

    def _refuse(self, why: str) -> Precondition:
        return Precondition(f"the file {ACCESS_FOLDER}/{self._path.name} in the data directory {why}", self._reason)
