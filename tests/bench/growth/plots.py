"""The plot of how a server grows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from tests.bench.growth.measure import Cost


def draw(folder: Path, by_workspaces: Mapping[int, Cost], by_samples: Mapping[int, Cost]) -> None:
    """Write growth.svg: memory and CPU time per answer, by workspaces and by samples."""
    mpl.use("Agg")
    # the same data give the same file; words stay words
    mpl.rcParams.update({"svg.hashsalt": "haleganada", "svg.fonttype": "none", "font.size": 9})
    folder.mkdir(parents=True, exist_ok=True)
    figure, rows = plt.subplots(2, 2, figsize=(7, 4.6), sharex="col")
    for column, (title, costs) in enumerate((("workspaces", by_workspaces), ("samples", by_samples))):
        counts = list(costs)
        for row, (label, values) in enumerate(
            (
                ("resident memory, MB", [cost.resident_mb for cost in costs.values()]),
                ("CPU time per answer, ms", [cost.cpu_ms for cost in costs.values()]),
            )
        ):
            axes = rows[row][column]
            axes.plot(counts, values, marker="o")
            axes.set(xscale="log", ylabel=label, ylim=(0, None))
        rows[1][column].set_xlabel(title)
    figure.tight_layout()
    figure.savefig(folder / "growth.svg", metadata={"Date": None})
