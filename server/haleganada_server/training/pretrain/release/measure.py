"""Metrics of the product: the shipped graph and the server's own preprocessing on real drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from haleganada_server.core.fewshot.builder import build_head
from haleganada_server.training.pretrain.one_shot import Embeddings, Task
from haleganada_server.training.pretrain.synthesis.sources import Scans
from haleganada_server.vision.frame import frame
from haleganada_server.vision.ink.paper import find_ink
from haleganada_server.vision.inputs import network_input

from .head_fit import HeadFit, head_scores


def make_product_rasters(scans: Scans) -> NDArray[np.uint8]:
    """Convert scans (n, h, w), 255 = ink, to the server's rasters (n, 128, 128), as for dark ink on white paper."""
    return np.stack([frame(find_ink(255 - np.pad(s, 4))) for s in scans])


@dataclass(frozen=True)
class ProductEmbedder:
    """Embeds scans exactly as the server does."""

    session: onnxruntime.InferenceSession
    side: int

    def __call__(self, scans: Scans, batch: int = 64) -> Embeddings:
        """Embed scans (n, h, w), 255 = ink, as (n, d)."""
        return self.embed_rasters(make_product_rasters(scans), batch)

    def embed_rasters(self, rasters: NDArray[np.uint8], batch: int = 64) -> Embeddings:
        """Embed rasters (..., 128, 128), as make_product_rasters returns them, as (..., d)."""
        flat, parts = rasters.reshape(-1, *rasters.shape[-2:]), []
        for i in range(0, len(flat), batch):
            ink = network_input(flat[i : i + batch], self.side)
            parts.append(np.asarray(self.session.run(["embedding"], {"ink": ink})[0]))
        return np.concatenate(parts).reshape(*rasters.shape[:-2], -1)

    def embed_characters(self, characters: Sequence[Scans]) -> Embeddings:
        """Embed characters with equally many drawings as (characters, drawings, d)."""
        stacked = np.stack(list(characters))
        return self(stacked.reshape(-1, *stacked.shape[2:])).reshape(*stacked.shape[:2], -1)


def one_shot_error(head: HeadFit, tasks: Sequence[Task], adapt: bool = True) -> float:
    """Return the share of wrong answers by the head."""
    wrong = []
    for support, query in tasks:
        examples = head.project(support)[:, None]
        scores = head_scores(head.basis(examples, adapt), head.project(query), examples)[:, :-1]
        wrong.append(scores.argmax(1) != np.arange(len(support)))
    return float(np.mean(np.concatenate(wrong)))


@dataclass(frozen=True)
class WriterSet:
    """Drawings of many labels by several writers, for evaluation only."""

    embeddings: Embeddings
    labels: NDArray[np.integer]
    writers: NDArray[np.integer]


def load_kannada(data: Path, embedder: ProductEmbedder) -> WriterSet | None:
    """Load the Kannada aksharas of Chars74K without suspect drawings; None if the data set is absent."""
    path = data / "chars74k_kannada" / "chars74k_kannada_96.npz"
    if not path.exists():
        return None
    with np.load(path) as file:
        good = ~file["suspect"]
        return WriterSet(embedder(file["x"][good]), file["y"][good], file["writer"][good])


def writer_split_accuracy(
    head: HeadFit, drawings: WriterSet, shots: int, rounds: int = 3, seed: int = 0
) -> tuple[float, int]:
    """Return top-1 accuracy and the number of answers: `shots` writers teach every label, the others are recognized."""
    rng = np.random.default_rng(seed)
    v = head.project(drawings.embeddings)
    right: list[NDArray[np.bool_]] = []
    for _ in range(rounds):
        teachers = rng.permutation(np.unique(drawings.writers))[:shots]
        taught = np.isin(drawings.writers, teachers)
        known = build_head(head.between, [str(label) for label in drawings.labels[taught]], v[taught]).adapt()
        labels = np.array([int(label) for label in known.labels])
        guesses = labels[[int(known.scores(vector)[:-1].argmax()) for vector in v[~taught]]]
        right.append(guesses == drawings.labels[~taught])
    joined = np.concatenate(right)
    return float(joined.mean()), len(joined)
