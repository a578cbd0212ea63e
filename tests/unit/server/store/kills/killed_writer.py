"""Runs until it is killed: `python -m tests.unit.server.store.kills.killed_writer teach|replace DATA`.

teach: commits groups of one to five samples, and prints the last revision of each group once it is on disk. replace:
teaches, saves, resets and restores in turn, and prints how many samples at least one state of the workspace has.
"""

from __future__ import annotations

import sys
from pathlib import Path

from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.vision import PillowRasterizer

from tests.unit.server.store.rows import reset_event, restore_event, teach


def teach_forever(log: SqliteLog) -> None:
    """Teach in groups, and print the last revision of each."""
    revision = log.revision()
    while True:
        with log.transaction() as transaction:
            for _ in range(1 + revision % 5):
                revision += 1
                teach(transaction, "a", request_id=f"request {revision}")
        print(revision, flush=True)


def replace_forever(directory: DataDirectory, log: SqliteLog) -> None:
    """Replace the state in turn; the newest one always has the most samples, wherever it is."""
    while True:
        with log.transaction() as transaction:
            teach(transaction)
        print(log.count(), flush=True)
        directory.save(log, "")
        log, retired = directory.replace("w", log, reset_event(log.revision() + 1))
        assert retired is not None
        log, _ = directory.replace("w", log, restore_event(log.revision() + 1), retired.snapshot_id)


def main(work: str, data: Path) -> None:
    """Open or create the workspace “w” and work on it."""
    directory = DataDirectory(data, PillowRasterizer())
    log = directory.open("w") if directory.exists("w") else directory.create("w")
    print("ready", flush=True)
    if work == "teach":
        teach_forever(log)
    else:
        replace_forever(directory, log)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
