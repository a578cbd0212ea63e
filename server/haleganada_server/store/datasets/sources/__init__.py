"""The forms in which data sets come, each with its reader: folders of images, IDX files, NumPy archives, exports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from haleganada_server.core.datasets.dataset import Orientation
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.workspaces.types import TransferFormat
from haleganada_server.store.formats import archive

from . import idx, image_folders, npz, workspace_export
from .file_tree import opened_tree
from .source_item import MAX_PIXELS, MAX_TOTAL_PIXELS, RefusedSource, SourceItem, Tell, require_items, untold

__all__ = ["MAX_PIXELS", "MAX_TOTAL_PIXELS", "RefusedSource", "SourceItem", "read", "require_items"]


def read(
    path: Path, file_name: str, orientation: Orientation, tell: Tell = untold
) -> Iterator[SourceItem | RefusedSource]:
    """The items of a folder or file. file_name: what its owner calls it; its ending tells the form. tell: is told what
    there is to know about the source, before the end.

    Raises InvalidInput if it is none that can be read.
    """
    ending = Path(file_name).suffix.lower()
    if path.is_dir() or ending == ".zip":
        with opened_tree(path) as tree:
            names = tree.names()
            if not path.is_dir() and archive.MEMBERS.issubset(names):
                yield from workspace_export.read(path, TransferFormat.ARCHIVE)
            elif idx.is_idx(names):
                yield from idx.read(tree, file_name, orientation, tell)
            else:
                yield from image_folders.read(tree)
    elif ending == ".npz":
        yield from npz.read(path)
    elif ending == ".jsonl":
        yield from workspace_export.read(path, TransferFormat.JSONL)
    else:
        wanted = "a .zip of folders or IDX files, a .npz, or a workspace's export, .zip or .jsonl"
        raise InvalidInput("file_name", f"ends with “{ending[:20]}”; send {wanted}")
