"""The history of a training for people: JSON, a plot, and TensorBoard's event files where requested."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from haleganada_server.core.jobs.job import Epoch
from haleganada_server.training.common.atomic_files import write_atomically

HISTORY_JSON = "training_history.json"
HISTORY_PNG = "training_history.png"
_SECONDS_BETWEEN_PLOTS = 5.0
"""A plot takes a second, which is longer than an epoch of a small data set."""


class HistoryFiles:
    """Keeps a training's history files in a folder up to date."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._plotted_at = -_SECONDS_BETWEEN_PLOTS

    def write(self, epochs: Sequence[Epoch], best_epoch: int, last: bool = False) -> None:
        """Write the files after an epoch. last: it is the last call. best_epoch: 0 = none. Raises OSError."""
        write_atomically(self.folder / HISTORY_JSON, format_history(epochs, best_epoch).encode())
        if epochs and (last or time.monotonic() - self._plotted_at >= _SECONDS_BETWEEN_PLOTS):
            write_atomically(self.folder / HISTORY_PNG, plot_history(epochs, best_epoch))
            self._plotted_at = time.monotonic()


def format_history(epochs: Sequence[Epoch], best_epoch: int) -> str:
    """Return JSON: {"best_epoch", "epochs": [{fields of Epoch}]}."""
    return json.dumps({"best_epoch": best_epoch, "epochs": [asdict(epoch) for epoch in epochs]}, indent=1)


def plot_history(epochs: Sequence[Epoch], best_epoch: int) -> bytes:
    """Return a PNG of loss, accuracy and learning rate over the epochs; a line marks the best one."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # takes a second, which other jobs need not wait
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 3)
    validated = any(epoch.validation_loss or epoch.validation_accuracy for epoch in epochs)
    _plot_curves(panels[0], "loss", "mean cross-entropy", epochs, validated)
    _plot_curves(panels[1], "accuracy", "accuracy", epochs, validated)
    panels[2].plot([e.epoch for e in epochs], [e.learning_rate for e in epochs], color="tab:green")
    panels[2].set_ylabel("learning rate")
    for panel in panels:
        panel.set_xlabel("epoch")
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.3)
        if best_epoch:
            panel.axvline(best_epoch, color="gray", linestyle=":", label=f"best: epoch {best_epoch}")
    handles, names = panels[1].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)  # below the curves
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def _plot_curves(panel: Any, metric: str, title: str, epochs: Sequence[Epoch], validated: bool) -> None:
    for part in ("train", "validation") if validated else ("train",):
        panel.plot([e.epoch for e in epochs], [getattr(e, f"{part}_{metric}") for e in epochs], ".-", label=part)
    panel.set_ylabel(title)


class TensorBoard(contextlib.AbstractContextManager["TensorBoard"]):
    """Writes event files of a training, from the first epoch that this process runs."""

    def __init__(self, folder: Path, first_epoch: int) -> None:
        """Withdraw epochs from `first_epoch` on that an earlier process wrote. Needs is_tensorboard_installed()."""
        from torch.utils.tensorboard import SummaryWriter  # type: ignore[attr-defined]

        self._writer = SummaryWriter(str(folder), purge_step=first_epoch)

    def write(self, epoch: Epoch) -> None:
        """Write the metrics of one epoch."""
        for metric in ("loss", "accuracy"):
            values = {part: getattr(epoch, f"{part}_{metric}") for part in ("train", "validation")}
            for part, value in values.items():
                self._writer.add_scalar(f"{metric}/{part}", value, epoch.epoch)
        self._writer.add_scalar("learning_rate", epoch.learning_rate, epoch.epoch)
        self._writer.flush()

    def __exit__(self, *_: object) -> None:
        self._writer.close()


def is_tensorboard_installed() -> bool:
    """Return whether event files can be written."""
    return find_spec("tensorboard") is not None
