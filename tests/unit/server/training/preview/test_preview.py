"""The preview shows what training computes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.training.common.augment import draw_random_numbers
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.training_data import read_dataset
from haleganada_server.training.preview.sheet import GAP, MARGIN, MIN_SIDE, choose_drawings, draw_sheet, render_views
from PIL import Image


def test_views_are_the_tensors_of_the_epochs(dataset: dict[str, Any]) -> None:
    data = read_dataset(dataset)
    items, ink = data.part(Part.TRAIN), InkInput(32, torch.device("cpu"))
    views = render_views(data, 32, np.array([5, 2]), views=2, seed=9)
    whole_batch = ink(data.rasters(items), draw_random_numbers(len(items), 9, 2))
    assert views.shape == (2, 3, 32, 32)
    assert torch.allclose(views[:, 2], whole_batch[[5, 2], 0], atol=1e-5)
    assert torch.equal(views[:, 0], ink(data.rasters(items[[5, 2]]))[:, 0])


def test_every_label_is_chosen_before_any_comes_twice(dataset: dict[str, Any]) -> None:
    data = read_dataset(dataset)
    labels = data.targets(data.part(Part.TRAIN))
    chosen = choose_drawings(data, 7, seed=1)
    assert len(set(chosen)) == 7
    assert [len(set(labels[chosen[i : i + 3]])) for i in (0, 3)] == [3, 3]
    assert len(choose_drawings(data, 64, seed=1)) == 36


def test_a_process_writes_the_sheet(dataset: dict[str, Any], tmp_path: Path) -> None:
    request = {"dataset": dataset, "preset": "tiny-cnn", "drawings": 4, "views": 2, "seed": 0}
    path = tmp_path / "request.json"
    path.write_text(json.dumps({**request, "sheet": str(tmp_path / "sheet.png")}))
    command = [sys.executable, "-m", "haleganada_server.training.preview", str(path)]
    report = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    assert report["done"]["side"] == 32 and len(report["done"]["labels"]) == 4
    with Image.open(io.BytesIO((tmp_path / "sheet.png").read_bytes())) as drawn:
        assert drawn.size == (MARGIN + 3 * (96 + GAP) + GAP, 4 * (96 + GAP) + GAP)


def test_a_view_is_enlarged_without_blending_pixels_and_has_its_label_beside_it() -> None:
    views = torch.rand(2, 3, 36, 36)
    with Image.open(io.BytesIO(draw_sheet(views, ["x", "m"]))) as png:
        shown = np.asarray(png)
    side = 3 * 36
    assert side >= MIN_SIDE
    for row, column in np.ndindex(2, 3):
        top, left = GAP + row * (side + GAP), MARGIN + GAP + column * (side + GAP)
        exact = views[row, column].mul(255).round().byte().numpy()
        assert np.array_equal(shown[top : top + side, left : left + side], exact.repeat(3, 0).repeat(3, 1))
    labels = [shown[GAP + row * (side + GAP) :][:side, :MARGIN] > 200 for row in (0, 1)]
    assert all(10 < label.sum() < 2000 for label in labels) and (labels[0] != labels[1]).any()
