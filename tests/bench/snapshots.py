"""What snapshots cost: saving a large workspace, importing again and again, and teaching while the server takes them.

python -m tests.bench.snapshots [SAMPLES]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.sample_log.rows import ChangeKind, Event
from haleganada_server.core.workspaces.dependencies import WorkspaceDependencies
from haleganada_server.core.workspaces.snapshots.schedule import Schedule
from haleganada_server.core.workspaces.types import TransferFormat
from haleganada_server.core.workspaces.workspace import Workspace
from haleganada_server.core.workspaces.workspaces import Workspaces
from haleganada_server.store import DataDirectory
from haleganada_server.store.quota import disk_usage
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.vision import PillowRasterizer

from tests.bench.table import Table
from tests.unit.server.core.workspaces.small_world import CoarseEmbedder, lesson, make_dependencies
from tests.unit.server.store.rows import sample

SAMPLES = 100_000
DIMENSION = 256
IMPORTS = 10
TAUGHT = 1_500
GROUP = 2_000
NEVER = Schedule(first_changes=10**9, changes=10**9, max_age_s=1e9)
OFTEN = Schedule(pause_s=0)  # 100 changes, without the pause of a minute


def main() -> None:
    """Print the table."""
    table = Table("Snapshots", ("what", "measured", "target"))
    with tempfile.TemporaryDirectory() as folder:
        measure_saving(table, Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
        measure_imports(table, Path(folder))
        measure_teaching(table, Path(folder))
    print(f"\n{table.markdown()}")


def measure_saving(table: Table, folder: Path, samples: int) -> None:
    """Save a workspace of many samples, again without a change, and after one."""
    directory = DataDirectory(folder / "large", PillowRasterizer())
    log = directory.create("w")
    fill(log, samples)
    what = f"Save at {samples:,} samples"
    for note, target in (("", "2 s"), (", unchanged since", ""), ("", "2 s")):
        used, started, cpu = disk_usage([folder]), time.perf_counter(), time.process_time()
        directory.save(log, "x")
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
        grown = (disk_usage([folder]) - used) / 1e6
        table.add(what + note, f"{seconds:.2f} s, {cpu_seconds:.2f} s of CPU, {grown:.1f} MB more", target)
        if note:
            fill(log, 1)
    log.close()
    directory.close()


def fill(log: SqliteLog, count: int) -> None:
    """Write samples of the usual size, a group in each commit."""
    numbers, template, first = np.random.default_rng(0), sample(1), log.count()
    for start in range(first, first + count, GROUP):
        with log.transaction() as transaction:
            for _ in range(start, min(start + GROUP, first + count)):
                number = transaction.next_sample_id()
                event = Event(ChangeKind.TEACH, number, sample_id=number, label=f"L{number % 500}", client="bench")
                embedding = numbers.normal(size=DIMENSION).astype(np.float32)
                glyph = template.glyph + numbers.bytes(200)
                row = replace(template, sample_id=number, label=event.label, glyph=glyph, embedding=embedding)
                transaction.add_sample(replace(row, revision=transaction.append(event)))


def measure_imports(table: Table, folder: Path) -> None:
    """Import one picture after the other into a workspace of 300, and one of them ten times."""
    with open_world(folder / "imports", NEVER) as workspaces:
        workspace = workspaces.get()
        workspace.train_batch([lesson(number) for number in range(250)])
        files = list(export_singly(workspaces, folder))
        for what, sources in (("different", files), ("equal", files[:1] * IMPORTS)):
            used = disk_usage([folder / "imports"])
            for source in sources:
                workspace.import_file(source)
            workspaces.automatic_snapshots.take_due()
            grown = disk_usage([folder / "imports"]) - used
            table.add(f"{IMPORTS} imports of {what} pictures, 250 samples", f"{grown / 1e6:+.2f} MB", "")


def export_singly(workspaces: Workspaces, folder: Path) -> Iterator[Path]:
    """Yield archives of one picture each."""
    for number in range(IMPORTS):
        workspaces.create(f"source {number}")
        source = workspaces.get(f"source {number}")
        source.train(lesson(1_000 + number))
        exported = source.export(TransferFormat.ARCHIVE)
        yield exported.path.rename(folder / f"{number}.zip")


def measure_teaching(table: Table, folder: Path) -> None:
    """Teach three workspaces in turn, of which the server takes snapshots never, as usual, and as often as it can."""
    schedules = {"without": NEVER, "with the usual": Schedule(), "with one after each 100 changes of": OFTEN}
    times: dict[str, list[float]] = {name: [] for name in schedules}
    with (
        open_world(folder / "0", NEVER) as one,
        open_world(folder / "1", Schedule()) as two,
        open_world(folder / "2", OFTEN) as three,
    ):
        places: list[Workspace] = [world.get() for world in (one, two, three)]
        for number in range(TAUGHT):
            for name, place in zip(schedules, places, strict=True):
                started = time.perf_counter()
                place.train(lesson(number % 100, number))
                times[name].append((time.perf_counter() - started) * 1e3)
        taken = [len(world.snapshots()) for world in (one, two, three)]
    for (name, measured), count in zip(times.items(), taken, strict=True):
        p50, p99 = statistics.median(measured), sorted(measured)[len(measured) * 99 // 100]
        what = f"Train {name} automatic snapshots ({count} kept)"
        table.add(what, f"p50 {p50:.2f} ms, p99 {p99:.1f} ms", "" if name == "without" else "as without")


@contextmanager
def open_world(folder: Path, schedule: Schedule) -> Iterator[Workspaces]:
    """Open workspaces with a small embedder, so that the log is most of the work."""
    rasterizer = PillowRasterizer()
    directory, encoder = DataDirectory(folder, rasterizer), GlyphEncoder(rasterizer, CoarseEmbedder())
    dependencies: WorkspaceDependencies = replace(make_dependencies(directory, encoder, folder), schedule=schedule)
    workspaces = Workspaces(dependencies)
    try:
        yield workspaces
    finally:
        workspaces.close()


if __name__ == "__main__":
    main()
