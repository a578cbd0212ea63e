"""Teaching many labeled pictures: workers encode them, then one change of the workspace teaches all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from haleganada_server.app import Recognizers
from haleganada_server.core.errors import InvalidInput, NotFound
from haleganada_server.core.folder_names import (
    FolderNames,
    describe_code_points,
    describe_unknown_folder,
    find_unknown_folder,
    list_code_points,
    parse_folder_name,
)
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.labels import DEFAULT_WORKSPACE, normalize_label
from haleganada_server.core.workspaces.ports import ImportItem
from haleganada_server.store import DataDirectory
from haleganada_server.store.formats.items import join_label_folders
from haleganada_server.vision import PillowRasterizer

from .errors import BulkFailed
from .items import Item
from .state import open_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Where to teach, and how folders are read that are named by numbers.

    store, objects: of servers that share a database, also beside them; data is then a folder that keeps the snapshot
    before the change, and no server's. They may hold a password.
    """

    data: Path
    workspace: str
    store: str = field(default="", repr=False)
    objects: str = field(default="", repr=False)
    folder_names: FolderNames = FolderNames.AUTO


def require_teachable(lessons: Lessons) -> None:
    """Raise BulkFailed if there is no such data directory, Precondition if a server uses it, or the database cannot be
    used, NotFound without the workspace: before thousands of pictures are encoded.
    """
    if lessons.store:
        with _open(lessons) as recognizers:
            known = recognizers.workspaces.names()
    elif lessons.data.is_dir():
        with closing(DataDirectory(lessons.data, PillowRasterizer())) as directory:
            known = directory.names()
    else:
        raise BulkFailed(f"there is no data directory {lessons.data}; name one with --data", 2)
    if lessons.workspace not in {DEFAULT_WORKSPACE, *known}:
        raise NotFound("workspace", lessons.workspace, f"there are: {', '.join(known) or 'none'}")


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
    repeated run is known again. Raises Precondition if a server uses the data directory, NotFound, Unavailable, and
    what an import raises; nothing was taught then.
    """
    with _open(lessons) as recognizers, recognizers.workspaces.use(lessons.workspace) as workspace:
        items = _to_import_items(rows, recognizers.encoder.embedder_hash)
        imported = workspace.import_items(items)
        return {"taught": imported.imported, "known": imported.duplicates, "revision": imported.revision}


def _open(lessons: Lessons) -> AbstractContextManager[Recognizers]:
    return open_state(lessons.data, lessons.store, lessons.objects)


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
