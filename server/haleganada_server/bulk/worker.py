"""What runs in the processes of Ray: it opens the state as a server does, and turns blocks of items into rows."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haleganada_server.app import Recognizers
from haleganada_server.core.errors import HaleganadaError

from . import state
from .attempts import Attempts
from .items import Item
from .kinds import KINDS, Kind, RunEnding
from .temporary import temporary_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to do with every item.

    kind: a key of KINDS, with its settings. facts: of the state, which has been copied to the folder `state` of this
    machine, or comes packed as an object of Ray. name: of the run, unlike that of any other. scratch: a folder for
    temporary files; "" = the machine's.
    """

    kind: str
    settings: dict[str, Any]
    facts: dict[str, Any]
    state: str = ""
    packed: list[Any] = field(default_factory=list)
    name: str = ""
    scratch: str = ""


class BlockWorker:
    """Turns one block after another into rows, in a process of Ray."""

    def __init__(self, task: Task, fetch: Callable[[Any], Any]) -> None:
        """fetch: returns what an object of Ray stands for."""
        self._task, self._fetch = task, fetch
        self._open = ExitStack()
        self._kind: Kind | None = None
        self._attempts = Attempts(Path(task.scratch or tempfile.gettempdir()) / f"haleganada-bulk-{task.name}")

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """One block -> its rows, as a file. batch: `number` and `items`, one of each.

        What ends the whole run is told as a value, because Ray would try the block again.
        """
        (number,), (lines,) = batch["number"], batch["items"]
        try:
            items = [Item.from_json(line) for line in json.loads(lines)]
            rows = self._attempts.make_rows(int(number), items, self._find_kind().rows)
        except (RunEnding, HaleganadaError) as error:
            return _answer(number, failure=str(error))
        from . import tables  # needs pyarrow, which the help of the command does not

        bad = sum(row["error"] is not None for row in rows)
        return _answer(number, len(rows), bad, tables.to_parquet(self._task.kind, rows))

    def close(self) -> None:
        """Close the state, and remove the temporary files. Ray ends its processes without it; then the next worker on
        the machine removes them.
        """
        self._open.close()

    def _find_kind(self) -> Kind:
        """Return what makes the rows; at first, open the state."""
        if self._kind is None:
            scratch = self._open.enter_context(temporary_folder("haleganada-worker-", self._task.scratch or None))
            recognizers = self._open_state(scratch / "state")
            self._kind = KINDS[self._task.kind](recognizers, self._task.settings, self._task.facts, scratch)
        return self._kind

    def _open_state(self, folder: Path) -> Recognizers:
        if self._task.state:
            shutil.copytree(self._task.state, folder)
        else:
            state.unpack(self._fetch(self._task.packed[0]), folder)
        recognizers = self._open.enter_context(state.open_state(folder))
        if recognizers.encoder.embedder_hash != self._task.facts["embedder"]:
            raise RunEnding("a machine of the cluster has other weights; install the same version on all of them")
        return recognizers


def _answer(number: int, rows: int = 0, bad: int = 0, data: bytes = b"", failure: str = "") -> dict[str, Sequence[Any]]:
    return {"number": [number], "rows": [rows], "bad": [bad], "data": [data], "failure": [failure]}
