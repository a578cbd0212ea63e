"""The plots of docs/using/reading.md: how a page becomes right, correction by correction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from tests.bench.taught.loop import Curve


def draw(folder: Path, curves: list[Curve]) -> None:
    """Write loop.svg: the share of glyphs that are wrong by corrections for each distinct glyph."""
    mpl.use("Agg")
    # the same data give the same file; words stay words
    mpl.rcParams.update({"svg.hashsalt": "haleganada", "svg.fonttype": "none", "font.size": 9})
    folder.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True)
    for axis, many, title in zip(axes, (False, True), ("one by one", "all that are the same at once"), strict=True):
        for curve in (one for one in curves if one.many == many):
            places = [count / curve.distinct for count in range(len(curve.errors))]
            axis.plot(places, [100 * share for share in curve.errors], label=curve.name, linewidth=1)
        axis.axhline(2, color="k", linestyle=":", linewidth=1)
        axis.set(title=title, xlim=(0, 3), ylim=(0, 100), xlabel="corrections for each distinct glyph")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("glyphs that are wrong, %")
    axes[1].legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(folder / "loop.svg", metadata={"Date": None})
