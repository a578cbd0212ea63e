"""The course of a training for people: JSON and a picture, and TensorBoard's files where these are asked for."""

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
_SECONDS_BETWEEN_PICTURES = 5.0
"""A picture takes a second; epochs of small data sets do not."""


class History:
    """Keeps the files of one training up to date, in the folder given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pictured = -_SECONDS_BETWEEN_PICTURES

    def write(self, epochs: Sequence[Epoch], best_epoch: int, last: bool = False) -> None:
        """After an epoch; `last` when it will not be called again. best_epoch: 0 = none. Raises OSError."""
        write_atomically(self.folder / HISTORY_JSON, history_json(epochs, best_epoch).encode())
        if epochs and (last or time.monotonic() - self._pictured >= _SECONDS_BETWEEN_PICTURES):
            write_atomically(self.folder / HISTORY_PNG, history_png(epochs, best_epoch))
            self._pictured = time.monotonic()


def history_json(epochs: Sequence[Epoch], best_epoch: int) -> str:
    """{"best_epoch", "epochs": [{fields of Epoch}]}."""
    return json.dumps({"best_epoch": best_epoch, "epochs": [asdict(epoch) for epoch in epochs]}, indent=1)


def history_png(epochs: Sequence[Epoch], best_epoch: int) -> bytes:
    """Loss, accuracy and learning rate over the epochs; a line marks the best one."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # Takes a second, which other jobs need not wait.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 3)
    validated = any(epoch.validation_loss or epoch.validation_accuracy for epoch in epochs)
    _curves(panels[0], "loss", "mean cross-entropy", epochs, validated)
    _curves(panels[1], "accuracy", "accuracy", epochs, validated)
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


def _curves(panel: Any, measure: str, title: str, epochs: Sequence[Epoch], validated: bool) -> None:
    for part in ("train", "validation") if validated else ("train",):
        panel.plot([e.epoch for e in epochs], [getattr(e, f"{part}_{measure}") for e in epochs], ".-", label=part)
    panel.set_ylabel(title)


class TensorBoard(contextlib.AbstractContextManager["TensorBoard"]):
    """Event files of a training, from the first epoch that this process runs."""

    def __init__(self, folder: Path, first_epoch: int) -> None:
        """Epochs from `first_epoch` on, that an earlier process wrote, are taken back. Needs tensorboard_there()."""
        from torch.utils.tensorboard import SummaryWriter  # type: ignore[attr-defined]

        self._writer = SummaryWriter(str(folder), purge_step=first_epoch)

    def write(self, epoch: Epoch) -> None:
        """One epoch's figures."""
        for measure in ("loss", "accuracy"):
            values = {part: getattr(epoch, f"{part}_{measure}") for part in ("train", "validation")}
            for part, value in values.items():
                self._writer.add_scalar(f"{measure}/{part}", value, epoch.epoch)
        self._writer.add_scalar("learning_rate", epoch.learning_rate, epoch.epoch)
        self._writer.flush()

    def __exit__(self, *_: object) -> None:
        self._writer.close()


def tensorboard_there() -> bool:
    """True if event files can be written."""
    return find_spec("tensorboard") is not None
