"""Copies files into a backup. Those that are the same in an earlier backup share its disk space by hard links.

Whether a file is the same is decided by its bytes, and each copy is compared with its source: time and size alone would
keep a copy that has gone bad.
"""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Callable
from pathlib import Path

from haleganada_server.store import files

_ATTEMPTS = 3


class FileCopier:
    """Copies files from one folder to the same places below another. bytes, shared_bytes: sizes of all files, and of
    those that take no space of their own.
    """

    def __init__(self, source: Path, target: Path, previous: Path | None) -> None:
        """previous: an earlier backup on the same disk as the target, if there is one."""
        self._source, self._target, self._previous = source, target, previous
        self._copied: dict[tuple[int, int], Path] = {}  # by device and inode, for files with several names
        self.bytes = self.shared_bytes = 0

    def copy_file(self, place: Path, *, share: bool = True) -> bool:
        """Copy one file, and return whether the copy is the same as the file afterwards; it is not if the file changed
        meanwhile. share: let it share disk space with the earlier backup, which is right only for a file that is never
        written in place. Raises FileNotFoundError if the file was deleted, OSError.
        """
        source, target = self._source / place, self._target / place
        target.parent.mkdir(parents=True, exist_ok=True)
        found = source.stat()
        self.bytes += found.st_size
        inode = (found.st_dev, found.st_ino)
        earlier = self._copied.get(inode) or (self._previous and self._previous / place)
        if share and earlier is not None and earlier.is_file() and filecmp.cmp(source, earlier, shallow=False):
            files.link(earlier, target)
            self.shared_bytes += found.st_size
            return True
        if found.st_nlink > 1:
            self._copied[inode] = target
        for _ in range(_ATTEMPTS):
            files.copy(source, target)
            if filecmp.cmp(source, target, shallow=False):
                return True
        return False

    def copy_folder(
        self,
        place: Path,
        skip: Callable[[Path], bool] = lambda _place: False,
        grows: Callable[[Path], bool] = lambda _place: False,
    ) -> bool:
        """Copy a folder with everything in it but links, and what skip(place) leaves out. Return whether it is the same
        afterwards; False also if it was deleted meanwhile, and then nothing of it is kept. grows: whether a file is
        written in place, and shares no disk space.
        """
        same = True
        try:
            for path in sorted((self._source / place).rglob("*")):
                inside = path.relative_to(self._source)
                if path.is_file() and not path.is_symlink() and not skip(inside):
                    same = self._copy_if_there(inside, not grows(inside)) and same
        except FileNotFoundError:
            same = False
        if not (self._source / place).is_dir():
            shutil.rmtree(self._target / place, ignore_errors=True)
            return False
        return same

    def _copy_if_there(self, place: Path, share: bool) -> bool:
        try:
            return self.copy_file(place, share=share)
        except FileNotFoundError:  # deleted or replaced meanwhile
            (self._target / place).unlink(missing_ok=True)
            return False
