"""One bulk run from the list of items to the finished output."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.store import files

from .documents import list_pages
from .errors import BulkFailed
from .items import Item, ItemList
from .pipeline import compute, join_cluster, require_ray
from .run_folder import RunFolder
from .state import Source, copy_state, open_state
from .teaching import Lessons, label_items, require_teachable, teach_rows
from .worker import Task

_SAY_EVERY_S = 1.0
_TAUGHT = "taught"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to do. kind, settings: see worker.Task. suffixes: of the files that count in folders. lessons: where to
    teach the items, if that is to be done. workers: processes.
    """

    kind: str
    settings: dict[str, Any]
    inputs: tuple[str, ...]
    suffixes: tuple[str, ...]
    source: Source
    lessons: Lessons | None = None
    out: Path
    block_size: int
    workers: int
    ray_address: str = ""
    fresh: bool = False
    overwrite: bool = False

    @property
    def request(self) -> dict[str, Any]:
        """What the output depends on, by which an unfinished run is known again."""
        source = {name: str(value) for name, value in asdict(self.source).items()}
        if self.source.store:
            source["store"] = _describe_database(self.source.store)
        else:
            del source["store"]  # which earlier versions did not know
        lessons = {name: str(value) for name, value in asdict(self.lessons).items()} if self.lessons else {}
        lessons.pop("objects", None)  # where a snapshot goes changes nothing
        if store := lessons.pop("store", ""):
            lessons["store"] = _describe_database(store)
        return {
            "kind": self.kind,
            "lessons": lessons,
            "settings": self.settings,
            "inputs": list(self.inputs),
            "source": source,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """What has become of a run. facts: of the state that recognized."""

    items: int
    bad: int
    facts: dict[str, Any]


def _describe_database(store: str) -> str:
    """Return where a database is, without what may be secret. Raises HaleganadaError."""
    from haleganada_server.store.postgres.connections import parse_url

    return parse_url(store)[1]


def run(job: Job, say: Callable[[str], None]) -> Summary:
    """Carry out a job, or what is left of it. say: told how far it is. Raises BulkFailed; what is finished is kept."""
    require_ray(job.ray_address)
    try:
        with closing(RunFolder(job.out)) as folder, ThreadPoolExecutor(1, "aside") as aside:
            facts = _resume(job, folder, say)
            if facts is not None and not any(folder.missing()):
                return _finish(job, folder, facts)
            begun = aside.submit(_begin, job, folder, say) if facts is None else None  # while Ray starts
            with join_cluster(job.ray_address, job.workers):
                facts = begun.result() if begun else facts
                assert facts is not None
                _compute(job, folder, facts, say)
                finished = aside.submit(_finish, job, folder, facts)  # while Ray stops
            return finished.result()
    except (HaleganadaError, OSError) as error:
        raise BulkFailed(error.message if isinstance(error, HaleganadaError) else str(error)) from error


def _resume(job: Job, folder: RunFolder, say: Callable[[str], None]) -> dict[str, Any] | None:
    """Return the facts of the state of an unfinished run that goes on; None if a new one may begin."""
    if not job.fresh and (facts := folder.resume(job.request)) is not None:
        say(f"goes on: {len(folder.finished()):,} of {folder.blocks_total:,} blocks are finished")
        return facts
    if job.out.exists() and not job.overwrite:
        raise BulkFailed(f"{job.out} exists already; --overwrite replaces it", 2)
    folder.clear()
    if job.lessons is not None:
        require_teachable(job.lessons)
    return None


def _begin(job: Job, folder: RunFolder, say: Callable[[str], None]) -> dict[str, Any]:
    """List the items and copy the state; return the facts of the state."""
    found = ItemList(job.suffixes)
    for name in job.inputs:
        found.add(name)
    if not found.items:
        raise BulkFailed(
            f"there is nothing to do in {', '.join(job.inputs)}: no file has one of the endings "
            f"{' '.join(job.suffixes)}",
            2,
        )
    if found.others:
        say(f"{found.others:,} files passed over: of another kind")
    facts = copy_state(job.source, folder.state, folder.scratch)
    folder.begin(job.request, _prepare(job, found.items, folder, say), job.block_size, facts)
    return facts


def _prepare(job: Job, items: Sequence[Item], folder: RunFolder, say: Callable[[str], None]) -> Sequence[Item]:
    """Return the items of which the output has one row each: pages of documents; with labels, what is to be taught."""
    if job.lessons is not None:
        return label_items(items, job.lessons.folder_names, say)
    if job.kind != "read":
        return items
    with open_state(folder.state) as recognizers:
        return list_pages(items, recognizers.pages, folder.scratch)


def _compute(job: Job, folder: RunFolder, facts: dict[str, Any], say: Callable[[str], None]) -> None:
    missing = list(folder.missing())
    task = Task(
        kind=job.kind,
        settings=job.settings,
        facts=facts,
        state=str(folder.state.absolute()),
        name=secrets.token_hex(6),
        scratch=str(folder.scratch.absolute()),
    )
    done = folder.items_total - sum(len(items) for _, items in missing)
    said = time.monotonic()
    for result in compute(missing, task, job.workers, not job.ray_address):
        folder.keep(int(result.number), int(result.rows), int(result.bad), bytes(result.data))
        done += int(result.rows)
        if time.monotonic() - said > _SAY_EVERY_S:
            said = time.monotonic()
            say(f"{done:,} of {folder.items_total:,}")


def _finish(job: Job, folder: RunFolder, facts: dict[str, Any]) -> Summary:
    """Make the output of the blocks, put it in place at once, and remove the folder."""
    from . import tables

    blocks = folder.finished()
    rows = sum(block.rows for block in blocks)
    if [block.number for block in blocks] != list(range(folder.blocks_total)) or rows != folder.items_total:
        raise BulkFailed(f"{rows:,} of {folder.items_total:,} rows are there; run the same command again")
    if job.lessons is not None:
        facts = _teach(job.lessons, folder, [block.path for block in blocks])
    unfinished = folder.scratch / "output"
    tables.WRITERS[job.out.suffix.lower()](job.kind, (block.path for block in blocks), unfinished)
    files.move(unfinished, job.out)
    folder.remove()
    return Summary(rows, sum(block.bad for block in blocks), facts)


def _teach(lessons: Lessons, folder: RunFolder, blocks: Sequence[Path]) -> dict[str, Any]:
    """Teach what is in the blocks, unless an earlier start has done so, and return what has become of it."""
    from . import tables

    taught = folder.read_note(_TAUGHT)
    if taught is None:
        taught = teach_rows(lessons, tables.read_rows(blocks))
        folder.note(_TAUGHT, taught)
    return {"workspace": lessons.workspace, **taught}
