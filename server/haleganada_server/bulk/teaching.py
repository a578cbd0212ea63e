"""Teaching many labeled pictures: workers encode them, then one change of the workspace teaches all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.folder_names import (
    FolderNames,
    describe_code_points,
    describe_unknown_folder,
    find_unknown_folder,
    list_code_points,
    parse_folder_name,
)
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.workspaces.ports import ImportItem
from haleganada_server.store import DataDirectory
from haleganada_server.store.formats.items import join_label_folders
from haleganada_server.vision import PillowRasterizer

from .errors import BulkFailed
from .items import Item
from .state import open_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Where to teach, and how folders are read that are named by numbers."""

    data: Path
    workspace: str
    folder_names: FolderNames = FolderNames.AUTO


def require_unused(data: Path) -> None:
    """Raise BulkFailed if there is no such data directory, Precondition if a server uses it."""
    if not data.is_dir():
        raise BulkFailed(f"there is no data directory {data}; name one with --data", 2)
    DataDirectory(data, PillowRasterizer()).close()


def label_items(items: Sequence[Item], rule: FolderNames, say: Callable[[str], None]) -> list[Item]:
    """Return the items with the labels that their folders are named after; one whose folder names none has a problem.

    Pictures of none of the labels, in a folder 999, are left out, and that is said. Raises InvalidInput for folders
    that look like class numbers.
    """
    folders = {item: _find_folder(item) for item in items}
    distinct = set(filter(None, folders.values()))
    if unknown := find_unknown_folder(distinct):
        say(f"{describe_unknown_folder(unknown)} and was skipped")
    if (numbers := list_code_points(distinct - {unknown}, rule)) and rule is FolderNames.AUTO:
        say(describe_code_points(numbers))
    return [_label(item, folder, rule) for item, folder in folders.items() if not unknown or folder != unknown]


def teach_rows(lessons: Lessons, rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Teach encoded rows in one change; return how many were taught, and how many were known already, by which a
    repeated run is known again. Raises Precondition if a server uses the data directory, NotFound, and what an import
    raises; nothing was taught then.
    """
    with open_state(lessons.data) as recognizers, recognizers.workspaces.use(lessons.workspace) as workspace:
        items = _to_import_items(rows, recognizers.encoder.embedder_hash)
        imported = workspace.import_items(items)
        return {"taught": imported.imported, "known": imported.duplicates, "revision": imported.revision}


def _find_folder(item: Item) -> str:
    """Return the name of an item's folder; "" without one."""
    parts = PurePosixPath(item.member).parts[:-1] if item.member else Path(item.path).parts[:-1]
    return join_label_folders(parts) if parts else ""


def _label(item: Item, folder: str, rule: FolderNames) -> Item:
    if item.problem:
        return item
    try:
        if not folder:
            raise InvalidInput("label", "put each image into a folder that is named after its label")
        return replace(item, label=normalize_label(parse_folder_name(folder, rule)))
    except InvalidInput as error:
        return replace(item, problem=error.message)


def _to_import_items(rows: Iterable[dict[str, Any]], embedder_hash: str) -> Iterator[ImportItem]:
    """Yield the rows that can be taught."""
    for row in rows:
        if row["error"] is None:
            yield ImportItem(
                item=row["item"],
                label=row["label"],
                canonical="",
                glyph=Glyph(),
                key=row["key"],
                stored_glyph=(row["kind"], row["glyph"]),
                embedding=np.asarray(row["embedding"], dtype=np.float32),
                embedder_hash=embedder_hash,
            )
