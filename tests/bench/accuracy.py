"""Accuracy through the public API, on data that no weights were trained on: python -m tests.bench.accuracy.

Needs HALEGANADA_DATA. A server runs in a process of its own; drawings are taught and predicted as any client would.
The baselines, nearest mean of raw pixels and of HOG-like gradients, see the same drawings in the same run.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_client import HaleganadaClient
from haleganada_client.types import Prediction
from numpy.typing import NDArray
from PIL import Image

from tests.bench.table import Table
from tests.e2e.processes import server

BATCH = 256
SHOTS = (1, 2, 5, 10)
Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Split:
    """Drawings to teach and, by other writers, to test. y: labels as text."""

    taught: Pictures
    taught_y: list[str]
    tested: Pictures
    tested_y: list[str]


def main() -> None:
    root = os.environ.get("HALEGANADA_DATA")
    if not root:
        sys.exit("set HALEGANADA_DATA to the folder with the data sets")
    table = Table("657 Kannada aksharas, other writers (Chars74K, suspect drawings left out)",
                  ("taught samples a label", "top-1", "top-5", "n", "pixels, nearest mean"))  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as running, running.client() as client:
        for shots in SHOTS:
            split = kannada(Path(root), shots)
            right, five = through_the_api(client, f"kannada {shots}", split)
            table.add(str(shots), _percent(right), _percent(five), str(len(split.tested)), _percent(pixel_means(split)))
    print("\n" + table.markdown())


def kannada(root: Path, shots: int, seed: int = 0) -> Split:
    """`shots` writers teach each label one drawing, all other writers test."""
    data = np.load(root / "chars74k_kannada" / "chars74k_kannada_96.npz")
    x, y, writer, fine = data[_pictures_key(data)], data["y"], data["writer"], ~data["suspect"].astype(bool)
    names = [str(name) for name in data["unicode"]]
    teachers = np.random.default_rng(seed).permutation(np.unique(writer))[:shots]
    teaches = np.isin(writer, teachers) & fine
    tests = ~np.isin(writer, teachers) & fine
    return Split(x[teaches], [names[i] for i in y[teaches]], x[tests], [names[i] for i in y[tests]])


def _pictures_key(data: np.lib.npyio.NpzFile) -> str:
    return next(key for key in data.files if data[key].ndim == 3)


def through_the_api(client: HaleganadaClient, workspace: str, split: Split) -> tuple[float, float]:
    """Teach and predict over gRPC; shares right at the first place and among the first five."""
    client.create_workspace(workspace)
    for start in range(0, len(split.taught), BATCH):
        part = slice(start, start + BATCH)
        items = [(png(x), label, "", "") for x, label in zip(split.taught[part], split.taught_y[part], strict=True)]
        client.train_batch(items, workspace=workspace)
    ranks: list[int] = []
    for start in range(0, len(split.tested), BATCH):
        part = slice(start, start + BATCH)
        answers = client.predict_batch([png(x) for x in split.tested[part]], top_k=5, workspace=workspace)
        ranks += [_rank(answer, label) for answer, label in zip(answers, split.tested_y[part], strict=True)]
    return float(np.mean([rank == 0 for rank in ranks])), float(np.mean([rank < 5 for rank in ranks]))


def _rank(answer: object, label: str) -> int:
    if not isinstance(answer, Prediction):
        return 99  # refused: wrong
    return next((i for i, candidate in enumerate(answer.candidates) if candidate.label == label), 99)


def png(ink: Pictures) -> bytes:
    """Black on white, as a scanner would give it."""
    buffer = io.BytesIO()
    Image.fromarray(255 - ink).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def pixel_means(split: Split) -> float:
    """The baseline: the nearest mean of the product's own ink rasters at 32 x 32, by the cosine."""
    from haleganada_server.core.types import Glyph
    from haleganada_server.vision import network_input, normalise

    def features(pictures: Pictures) -> NDArray[np.float32]:
        rasters = np.stack([normalise(Glyph(image=png(x))) for x in pictures])
        flat = network_input(rasters, 32).reshape(len(rasters), -1)
        return np.asarray(flat / np.linalg.norm(flat, axis=1, keepdims=True), np.float32)

    labels = sorted(set(split.taught_y))
    taught, taught_y = features(split.taught), np.array([labels.index(y) for y in split.taught_y])
    means = np.stack([taught[taught_y == i].mean(0) for i in range(len(labels))])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    guess = (features(split.tested) @ means.T).argmax(1)
    return float(np.mean([labels[i] == y for i, y in zip(guess, split.tested_y, strict=True)]))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


if __name__ == "__main__":
    main()
