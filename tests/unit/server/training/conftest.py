"""Fixtures for the tests of training, which are skipped without the `train` extra."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from haleganada_server.core.datasets.dataset import Part

from tests.unit.server.training.toy_dataset import write_dataset

if TYPE_CHECKING:
    from haleganada_server.training.pretrain.synthesis.library import Library
    from haleganada_server.training.pretrain.synthesis.polylines import Drawing

NEEDED = ("torch", "torchvision", "cv2", "skimage", "scipy", "onnx", "onnxruntime", "safetensors")
MISSING = [name for name in NEEDED if find_spec(name) is None]


class SkippedModule(pytest.Module):
    """A test module that cannot be imported here."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        pytest.skip(f"training needs {', '.join(MISSING)}: pip install 'haleganada[train]'", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Skip all modules of this folder if a package that they import is missing."""
    return SkippedModule.from_parent(parent, path=module_path) if MISSING else None


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums depend on the number of threads; tests of other folders get theirs back."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def squiggle(seed: int, points: int = 9) -> np.ndarray:
    """Return a smooth random stroke, (points, 2)."""
    rng = np.random.default_rng(seed)
    return np.cumsum(np.cumsum(rng.normal(0, 0.2, (points, 2)), axis=0), axis=0).astype(np.float32)


def squiggle_drawing(seed: int) -> Drawing:
    """Return a drawing of one to three squiggles."""
    from haleganada_server.training.pretrain.synthesis.polylines import Drawing

    return Drawing.from_strokes([squiggle(10 * seed + k) for k in range(1 + seed % 3)]).center()


@pytest.fixture
def library() -> Library:
    """Return a small library of every kind of material, without files."""
    from haleganada_server.training.pretrain.synthesis.fonts import Syllable
    from haleganada_server.training.pretrain.synthesis.library import FontScript, Library, WrittenCharacter

    rng = np.random.default_rng(0)
    scans = [(rng.random((4, 30, 30)) < 0.15).astype(np.uint8) * 255 for _ in range(14)]
    written = [WrittenCharacter(s, [squiggle_drawing(i)]) for i, s in enumerate(scans)]
    units = [Syllable(chr(0xC95 + i), chr(0xC95 + i // 2), str(i % 2)) for i in range(20)]
    font = FontScript("Kannada", units, [[squiggle_drawing(i), squiggle_drawing(i)] for i in range(20)])
    pens = [[[squiggle_drawing(i + 40)] for i in range(14)]]
    symbols = [[squiggle_drawing(i + 80), squiggle_drawing(i + 80)] for i in range(14)]
    hanzi = [squiggle_drawing(i) for i in range(6)]
    strokes = [squiggle(i) for i in range(10)]
    return Library(
        omniglot=[written], pens=pens, english=[written], symbols=symbols, fonts=[font], hanzi=hanzi, strokes=strokes
    )


@pytest.fixture
def dataset(tmp_path: Path) -> dict[str, Any]:
    """Three shapes: 36 drawings to train on, 12 for validation, 12 for the test."""
    return write_dataset(tmp_path / "dataset", {Part.TRAIN: 12, Part.VALIDATION: 4, Part.TEST: 4})
