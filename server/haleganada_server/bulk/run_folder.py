"""The folder of an unfinished run, beside its output: what was asked for, the list of items, the state that recognizes
them, and the finished blocks.

    FILE.unfinished/
      lock
      run.json              what was asked for; it comes last, so that what lies beside it is complete
      items                 one line for each item, in order
      state/                a data directory with what recognizes
      blocks/0000017-256-3  the rows of block 17, in Parquet: 256, of which 3 have errors
      scratch/              emptied at every start

A run that was killed goes on from it: a block has its name once it is complete and synced.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haleganada_server.store import files

from .errors import BulkFailed
from .items import Item, split_into_blocks

_VERSION = 1
_RUN, _ITEMS, _BLOCKS, _SCRATCH, _STATE, _LOCK = "run.json", "items", "blocks", "scratch", "state", "lock"


@dataclass(frozen=True, slots=True)
class Block:
    """A finished block. bad: rows with an error."""

    number: int
    rows: int
    bad: int
    path: Path


class RunFolder:
    """The folder of one run, which it locks until close()."""

    def __init__(self, out: Path) -> None:
        """Raises BulkFailed if another process works on the same output, OSError if the folder cannot be made."""
        self.path = out.with_name(f"{out.name}.unfinished")
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            files.lock(self._lock)
        except OSError:
            os.close(self._lock)
            raise BulkFailed(f"another run writes {out.name}; wait for its end, or choose another --out") from None
        self.scratch = self.path / _SCRATCH
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        self._blocks: list[Sequence[Item]] = []

    @property
    def state(self) -> Path:
        """The data directory with what recognizes."""
        return self.path / _STATE

    @property
    def items_total(self) -> int:
        """The number of items."""
        return sum(map(len, self._blocks))

    @property
    def blocks_total(self) -> int:
        """The number of blocks, finished or not."""
        return len(self._blocks)

    def resume(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return the facts of the run that is to go on; None if there is none. request: what is asked for now. Raises
        BulkFailed if the folder has a run of something else.
        """
        try:
            run = json.loads((self.path / _RUN).read_bytes())
        except (OSError, ValueError):
            return None
        if run.get("version") != _VERSION or run.get("request") != json.loads(json.dumps(request)):
            raise BulkFailed(
                f"{self.path} has an unfinished run that was asked for something else; repeat that command, or add "
                "--fresh to begin anew",
                2,
            )
        with (self.path / _ITEMS).open(encoding="ascii") as file:
            items = [Item.from_json(line) for line in file]
        self._blocks = list(split_into_blocks(items, int(run["block_size"])))
        facts: dict[str, Any] = run["facts"]
        return facts

    def clear(self) -> None:
        """Remove what an earlier run left, so that a new one can begin."""
        for note in self.path.glob("*.json"):
            note.unlink()
        for folder in (self.state, self.path / _BLOCKS):
            shutil.rmtree(folder, ignore_errors=True)

    def begin(self, request: dict[str, Any], items: Sequence[Item], block_size: int, facts: dict[str, Any]) -> None:
        """Begin a run, for which the state is complete. facts: what its end tells of it."""
        (self.path / _BLOCKS).mkdir()
        unfinished = self.scratch / _ITEMS
        with unfinished.open("w", encoding="ascii") as file:
            file.writelines(f"{item.to_json()}\n" for item in items)
        files.move(unfinished, self.path / _ITEMS)
        run = {"version": _VERSION, "request": request, "block_size": block_size, "facts": facts}
        files.write_json(self.path / _RUN, run, self.scratch)
        self._blocks = list(split_into_blocks(items, block_size))

    def finished(self) -> list[Block]:
        """Return the finished blocks, in order."""
        return sorted(map(_parse_block, (self.path / _BLOCKS).iterdir()), key=lambda block: block.number)

    def missing(self) -> Iterator[tuple[int, Sequence[Item]]]:
        """Yield the blocks that are to be computed, with their items."""
        finished = {block.number for block in self.finished()}
        for number, items in enumerate(self._blocks):
            if number not in finished:
                yield number, items

    def keep(self, number: int, rows: int, bad: int, data: bytes) -> None:
        """Keep the rows of a block. Raises BulkFailed if they are not as many as its items."""
        if rows != len(self._blocks[number]):
            raise BulkFailed(
                f"block {number} has {rows} rows for {len(self._blocks[number])} items; please report this"
            )
        unfinished = self.scratch / "block"
        unfinished.write_bytes(data)
        files.move(unfinished, self.path / _BLOCKS / f"{number:07d}-{rows}-{bad}")

    def note(self, name: str, value: dict[str, Any]) -> None:
        """Keep a small fact of the run."""
        files.write_json(self.path / f"{name}.json", value, self.scratch)

    def read_note(self, name: str) -> dict[str, Any] | None:
        """Return a fact that was kept; None if it was not."""
        try:
            value: dict[str, Any] = json.loads((self.path / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return None
        return value

    def remove(self) -> None:
        """Remove the folder, whose output is in place, and give up the lock."""
        (self.path / _RUN).unlink(missing_ok=True)  # from here on, nothing goes on from it
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def close(self) -> None:
        """Give up the lock."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _parse_block(path: Path) -> Block:
    number, rows, bad = map(int, path.name.split("-"))
    return Block(number, rows, bad, path)
