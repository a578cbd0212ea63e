"""Runs until it is killed: `python -m tests.unit.server.store.readings.killed_keeper DATA`.

Keeps two readings at a time and deletes the second; prints the id of the first once it is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

from haleganada_server.core.reading.page import PageReading
from haleganada_server.core.reading.reading import ReadingInfo
from haleganada_server.store import DataDirectory
from haleganada_server.store.readings.folders import ReadingFolders
from haleganada_server.vision import PillowRasterizer


def keep(store: ReadingFolders, document: bytes, pages: int) -> ReadingInfo:
    """Keep a reading of some empty pages."""
    incoming = store.receive()
    incoming.write(document)
    draft = store.begin(incoming)
    for page in range(1, pages + 1):
        draft.add(PageReading(page=page, width=1, height=1, blocks=()))
    return draft.finish("a.pdf", pages)


def main(data: Path) -> None:
    """Never returns."""
    directory = DataDirectory(data, PillowRasterizer())
    store = ReadingFolders(data / "readings", directory.temporary_file, 3600)
    print("ready", flush=True)
    while True:
        kept, deleted = keep(store, b"x" * 1000, 3), keep(store, b"y", 1)
        print(kept.reading_id, flush=True)
        store.delete(deleted.reading_id)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
