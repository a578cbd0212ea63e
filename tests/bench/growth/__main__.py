"""What a server costs by its workspaces and samples: python -m tests.bench.growth [--quick] [--plots FOLDER].

Data directories are written through the store; the server is a process of its own. Wall times include what else the
machine does; the CPU time of the server for an answer does not.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.bench.growth.data import write_directory
from tests.bench.growth.measure import Cost, measure
from tests.bench.table import Table

WORKSPACES = (1, 10, 100, 1000)
SAMPLES = (20, 1_000, 10_000, 100_000)
SAMPLES_EACH, LABELS_EACH, MOST_LABELS = 20, 10, 500
_COLUMNS = ("start", "first answer", "p50", "server CPU for an answer", "resident memory", "descriptors")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how a server grows; print Markdown.")
    parser.add_argument("--quick", action="store_true", help="leave out the largest of each")
    parser.add_argument("--plots", type=Path, help="also write growth.svg to this folder")
    options = parser.parse_args()
    last = -1 if options.quick else None
    by_workspaces, by_samples = {}, {}
    workspaces = Table(f"Workspaces of {SAMPLES_EACH} samples, all asked in turn", ("workspaces", *_COLUMNS))
    for count in WORKSPACES[:last]:
        names = ["default", *(f"workspace {number}" for number in range(1, count))]
        by_workspaces[count] = _measure(dict.fromkeys(names, (SAMPLES_EACH, LABELS_EACH)))
        workspaces.add(f"{count:,}", *_format(by_workspaces[count]))
    samples = Table("Samples in one workspace", ("samples", *_COLUMNS))
    for count in SAMPLES[:last]:
        by_samples[count] = _measure({"default": (count, min(MOST_LABELS, max(LABELS_EACH, count // 20)))})
        samples.add(f"{count:,}", *_format(by_samples[count]))
    print(f"\n{workspaces.markdown()}\n\n{samples.markdown()}")
    if options.plots:
        from tests.bench.growth.plots import draw

        draw(options.plots, by_workspaces, by_samples)


def _measure(content: dict[str, tuple[int, int]]) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        write_directory(Path(folder), content)
        return measure(Path(folder), list(content))


def _format(cost: Cost) -> tuple[str, ...]:
    return (
        f"{cost.start_s:.1f} s", f"{cost.first_ms:.0f} ms", f"{cost.p50_ms:.1f} ms", f"{cost.cpu_ms:.1f} ms",
        f"{cost.resident_mb:.0f} MB", str(cost.descriptors),
    )  # fmt: skip


if __name__ == "__main__":
    main()
