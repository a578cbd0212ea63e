"""How long a page of 500 glyphs takes and how much memory: the first time, and again after each correction.

All of it is measured at a server process, which nobody else asks. Processor time is that of the whole server for all of
a CorrectReading: it teaches, notes the correction on disk, adapts the head, reads the page again, chooses questions and
answers.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from haleganada_client import HaleganadaClient
from haleganada_client.reading.types import PageReading

from tests.bench.accuracy.sets import load_kannada
from tests.bench.accuracy.teaching import encode_png
from tests.bench.memory import read_memory
from tests.bench.table import Table
from tests.bench.taught import composed
from tests.bench.taught.matching import is_same
from tests.bench.taught.pages import SEPARATED, Truth, compose, load_papers
from tests.e2e.processes import ServerProcess, children_of, command_of, fresh_server

_SETTLED = (0, 50, 200, 400)
_ROUNDS = 20  # corrections that are measured, from so many settled glyphs on
_TICKS = os.sysconf("SC_CLK_TCK")


def measure(data: Path) -> Table:
    table = Table("A page of 500 glyphs, 60 labels of three drawings each", ("what", "measured", "target"))
    hand, rng = load_kannada(data), np.random.default_rng(500)
    lessons, rows = composed.choose(hand, composed.TRIALS[1], rng)
    page = compose(hand, np.concatenate([rows, rows[:100]]), SEPARATED, rng, load_papers(data)[0])
    drawn = [(encode_png(np.pad(hand.drawings[row], 4)), str(hand.labels[row]), "", "") for row in lessons]
    with tempfile.TemporaryDirectory() as folder, fresh_server(Path(folder)) as running, running.client() as client:
        client.train_batch(drawn)
        idle = read_memory(running.process.pid) / 2**20
        picture = composed.encode_page(page)
        elapsed = [client.read(picture, mode="taught").elapsed_ms for _ in range(3)]
        table.add("first read, the best of three", f"{min(elapsed) / 1000:.2f} s", "≤ 3 s")
        _add_memory(table, running, idle)
        reading = client.read(picture, mode="taught", keep=True).reading
        assert reading is not None
        correct(table, running, client, reading.reading_id, page.glyphs)
        taught = next((Path(folder) / "readings" / reading.reading_id).glob("*.taught"))
        table.add("the page as it was taken apart, on disk", f"{taught.stat().st_size / 2**20:.1f} MB", "")
        table.add("the server after all that, above the idle one", f"{_peak(running) - idle:.0f} MB", "")
    return table


def correct(
    table: Table, running: ServerProcess, client: HaleganadaClient, reading_id: str, truth: list[Truth]
) -> None:
    """Name the glyphs of a page one after another, and measure some of that."""
    answers = _name_glyphs(client, reading_id, truth)
    for settled, following in zip(_SETTLED, (*_SETTLED[1:], None), strict=True):
        _add_calls(table, f"a correction, {settled} glyphs settled", running, lambda: next(answers))
        for _ in range(following - settled - _ROUNDS if following else 0):
            next(answers)
    _add_calls(table, f"an undo, {settled + _ROUNDS} settled", running, lambda: client.readings.undo(reading_id).page)


def _name_glyphs(client: HaleganadaClient, reading_id: str, truth: list[Truth]) -> Iterator[PageReading]:
    """Name the glyphs that were found, in order, and yield the page after each."""
    page = client.readings.page(reading_id)
    boxes = [(glyph.glyph_id, glyph.box) for word in page.words for glyph in word.glyphs]
    for glyph in truth:
        found = next((glyph_id for glyph_id, box in boxes if is_same(box, glyph.box)), None)
        if found is not None:
            yield client.readings.name(reading_id, [found], glyph.label).page


def _add_calls(table: Table, name: str, running: ServerProcess, call: Callable[[], PageReading]) -> None:
    """Add what some calls take: processor time of the server, of which some is for reading the page, and time that the
    caller waits.
    """
    elapsed, reading, before = [], [], _read_cpu_s(running.process.pid)
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        reading.append(call().elapsed_ms or 0.0)
        elapsed.append(1000 * (time.perf_counter() - started))
    cpu = 1000 * (_read_cpu_s(running.process.pid) - before) / _ROUNDS
    waited = f"waited for {min(elapsed):.0f} ms at best, {np.median(elapsed):.0f} ms in the middle"
    table.add(
        name, f"{cpu:.0f} ms of processor time; {waited}; {min(reading):.0f} ms of it to read the page", "≤ 100 ms"
    )


def _add_memory(table: Table, running: ServerProcess, idle: float) -> None:
    readers = [pid for pid in children_of(running.process.pid) if "haleganada_server.reading.worker" in command_of(pid)]
    table.add("its memory: the server at its peak, above the idle one", f"{_peak(running) - idle:.0f} MB", "")
    for pid in readers:
        table.add(
            "its memory: a reader, at its peak",
            f"{read_memory(pid, 'VmHWM') / 2**20:.0f} MB",
            "≤ 300 MB with the server's",
        )


def _peak(running: ServerProcess) -> float:
    return read_memory(running.process.pid, "VmHWM") / 2**20


def _read_cpu_s(pid: int) -> float:
    """Return the processor time that a process has taken so far, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
