"""Formats of data sets, each with its reader: folders of images, IDX files, NumPy archives, workspace exports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from haleganada_server.core.datasets.dataset import Orientation
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.folder_names import FolderNames
from haleganada_server.core.workspaces.types import TransferFormat
from haleganada_server.store.formats import archive

from . import array_files, idx, image_folders, npz, workspace_export
from .file_tree import open_tree
from .source_item import MAX_PIXELS, OnNote, RefusedSource, SourceItem, ignore_note, require_items, require_pixels

__all__ = ["MAX_PIXELS", "RefusedSource", "SourceItem", "read", "require_items", "require_pixels"]


def read(
    path: Path,
    file_name: str,
    orientation: Orientation,
    on_note: OnNote = ignore_note,
    folder_names: FolderNames = FolderNames.AUTO,
    small_letters: bool = False,
    unknown_folder: str = "",
) -> Iterator[SourceItem | RefusedSource]:
    """Yield the items of a folder or file. file_name: the sender's name for it; its suffix determines the format.
    on_note: called with each caveat about the source, before the last item. folder_names: how to read folders that are
    named by numbers. small_letters, unknown_folder: see DatasetOptions.

    Raises InvalidInput for an unknown format, and for an unknown_folder where there are no folders of images.
    """
    suffix = Path(file_name).suffix.lower()
    if path.is_dir() or suffix == ".zip":
        with open_tree(path) as tree:
            names = tree.names()
            if not path.is_dir() and archive.MEMBERS.issubset(names):
                _require_no_unknown_folder(unknown_folder)
                yield from workspace_export.read(path, TransferFormat.ARCHIVE)
            elif files := idx.IdxFiles(tree, [name for name in names if not image_folders.is_image(name)]):
                _require_no_unknown_folder(unknown_folder)
                yield from idx.read(tree, files, file_name, orientation, on_note, small_letters)
            elif arrays := array_files.list_array_files(names):
                _require_no_unknown_folder(unknown_folder)
                yield from array_files.read(tree, arrays)
            else:
                yield from image_folders.read(tree, folder_names, on_note, unknown_folder)
    elif suffix == ".npz":
        _require_no_unknown_folder(unknown_folder)
        yield from npz.read(path)
    elif suffix == ".jsonl":
        _require_no_unknown_folder(unknown_folder)
        yield from workspace_export.read(path, TransferFormat.JSONL)
    else:
        formats = "a .zip of folders or IDX files, a .npz, or a workspace's export, .zip or .jsonl"
        raise InvalidInput("file_name", f"ends with “{suffix[:20]}”; send {formats}")


def _require_no_unknown_folder(name: str) -> None:
    """Raise InvalidInput if a folder is named where there is none."""
    if name:
        why = "names a folder, but only folders of images have one; send such drawings as folders, or leave it out"
        raise InvalidInput("options.unknown_folder", why)
