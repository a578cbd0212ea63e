"""Atomic files: written elsewhere, synced, then renamed into place."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any


def sync_folder(folder: Path) -> None:
    """Make renames and new files in a folder survive a power failure. Windows has no such call, and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    """Make a file's content survive a power failure."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def write_json(path: Path, value: Any, scratch: Path) -> None:
    """Write a small JSON file atomically, using the folder `scratch` on the same disk."""
    unfinished = scratch / f"{path.name}.new"
    unfinished.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    move(unfinished, path)


def move(source: Path, target: Path) -> None:
    """Sync a finished file and move it into place, atomically."""
    sync_file(source)
    source.replace(target)
    sync_folder(target.parent)


def copy(source: Path, target: Path) -> None:
    """Copy a file and sync the copy."""
    shutil.copyfile(source, target)
    sync_file(target)


def remove_folder(folder: Path, doomed: Path) -> None:
    """Remove a folder so that it is complete or absent even after a kill: it is first renamed to `doomed`, a new
    temporary path, which the next start removes.
    """
    folder.replace(doomed)
    sync_folder(folder.parent)
    shutil.rmtree(doomed, ignore_errors=True)
