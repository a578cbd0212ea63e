"""reading.json: what a reading is, and the SHA-256 of its files, sealed by a checksum of itself. The journals of
corrections, which grow, are sealed line by line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haleganada_server.core.disk.checksum import require_format, seal, unseal
from haleganada_server.core.disk.files import file_sha256
from haleganada_server.core.reading.reading import ReadingInfo

from .journal import require_intact_journals

READING_JSON, DOCUMENT = "reading.json", "document"
BROKEN_READING = (OSError, ValueError, KeyError, TypeError)
"""What the functions of this module raise for files that are damaged, or cannot be read."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Description:
    """sha256: of each file of the reading, by name."""

    info: ReadingInfo
    sha256: Mapping[str, str]


def page_name(page: int) -> str:
    """Return the name of a page's file. page: from 1."""
    return f"page-{page:05}.json"


def name_taught_file(page: int) -> str:
    """Return the name of the file that has a page as it was taken apart. page: from 1."""
    return f"page-{page:05}.taught"


def write_description(folder: Path, description: Description) -> None:
    """Write the last file of a reading."""
    info = description.info
    entry = {
        "format": _FORMAT,
        "reading_id": info.reading_id,
        "file_name": info.file_name,
        "pages": info.pages,
        "pages_total": info.pages_total,
        "excerpt": info.excerpt,
        "engines": info.engines,
        "create_us": info.create_us,
        "expire_us": info.expire_us,
        "size": info.size,
        "workspace": info.workspace,
        "owner": info.owner,
        "sha256": dict(description.sha256),
    }
    text = json.dumps(seal(entry), ensure_ascii=False, indent=1)
    (folder / READING_JSON).write_text(text, encoding="utf-8")


def load_description(folder: Path) -> Description:
    """Load a description. Raises OSError, ValueError, KeyError or TypeError if it is missing or not as it was
    written, or if a file is missing.
    """
    found = parse_description((folder / READING_JSON).read_text(encoding="utf-8"), folder.name)
    there = {path.name for path in folder.iterdir()}
    if missing := sorted(set(found.sha256) - there):
        raise ValueError(f"{missing[0]} is missing")
    return found


def parse_description(text: str, reading_id: str) -> Description:
    """Parse a description. Raises ValueError, KeyError or TypeError if it is not as it was written."""
    entry = unseal(json.loads(text))
    require_format(entry, _FORMAT)
    if entry["reading_id"] != reading_id:
        raise ValueError(f"it has the id {entry['reading_id']}")
    return Description(_parse(entry), entry["sha256"])


def require_intact_file(folder: Path, name: str, sha256: Mapping[str, str]) -> None:
    """Raise OSError, KeyError or ValueError unless a file is as it was written. sha256: of all files, by name."""
    if file_sha256(folder / name) != sha256[name]:
        raise ValueError(f"{name} has changed since it was written")


def require_intact_reading(folder: Path) -> None:
    """Raise what load_description raises, and ValueError unless all files are as they were written."""
    sha256 = load_description(folder).sha256
    for name in sha256:
        require_intact_file(folder, name, sha256)
    require_intact_journals(folder)


def _parse(entry: Mapping[str, Any]) -> ReadingInfo:
    return ReadingInfo(
        reading_id=str(entry["reading_id"]),
        file_name=str(entry["file_name"]),
        pages=tuple(int(page) for page in entry["pages"]),
        pages_total=int(entry["pages_total"]),
        excerpt=str(entry["excerpt"]),
        engines=tuple(str(engine) for engine in entry["engines"]),
        create_us=int(entry["create_us"]),
        expire_us=int(entry["expire_us"]),
        size=int(entry["size"]),
        workspace=str(entry.get("workspace", "")),
        owner=str(entry.get("owner", "")),
    )
