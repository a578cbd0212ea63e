"""History files are complete after every epoch, and readable without a validation part."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from haleganada_server.core.jobs.job import Epoch
from haleganada_server.training.fit.reports.history import HISTORY_JSON, HISTORY_PNG, HistoryFiles, plot_history
from matplotlib.figure import Figure
from PIL import Image

EPOCHS = [
    Epoch(
        epoch=n,
        train_loss=1 / n,
        train_accuracy=1 - 1 / n,
        validation_loss=1.2 / n,
        validation_accuracy=0.9 - 1 / n,
        learning_rate=0.1 / n,
        seconds=3,
    )
    for n in (1, 2, 3)
]


def test_json_is_written_every_epoch_and_the_plot_at_the_end(tmp_path: Path) -> None:
    history = HistoryFiles(tmp_path)
    for count in (1, 2, 3):
        history.write(EPOCHS[:count], best_epoch=count)
        written = json.loads((tmp_path / HISTORY_JSON).read_text())
        assert [Epoch(**entry) for entry in written["epochs"]] == EPOCHS[:count] and written["best_epoch"] == count
    early = (tmp_path / HISTORY_PNG).read_bytes()
    history.write(EPOCHS, 3, last=True)
    assert (tmp_path / HISTORY_PNG).read_bytes() != early
    assert {p.name for p in tmp_path.iterdir()} == {HISTORY_JSON, HISTORY_PNG}


def test_the_plot_is_an_image() -> None:
    without_validation = replace(EPOCHS[0], validation_loss=0, validation_accuracy=0)
    for epochs in (EPOCHS, EPOCHS[:1], [without_validation]):
        with Image.open(io.BytesIO(plot_history(epochs, best_epoch=1))) as picture:
            assert picture.size == (1200, 360) and len(picture.convert("L").getcolors() or []) > 10


def test_the_legend_covers_no_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    save = Figure.savefig

    def save_and_keep(figure: Figure, *more: Any, **options: Any) -> None:
        save(figure, *more, **options)
        drawn.append(figure)

    monkeypatch.setattr(Figure, "savefig", save_and_keep)
    plot_history(EPOCHS, best_epoch=2)
    (figure,) = drawn
    panels = [legend for panel in figure.axes if (legend := panel.get_legend()) is not None]
    legends = [*figure.legends, *panels]
    (legend,) = legends
    assert [text.get_text() for text in legend.get_texts()] == ["train", "validation", "best: epoch 2"]
    place = legend.get_window_extent()
    assert not [panel for panel in figure.axes if (box := panel.get_tightbbox()) is not None and place.overlaps(box)]
    assert place.x0 >= 0 and place.y0 >= 0 and place.x1 <= 1200
