"""What is measured: a model that was trained on a data set, or the product's own head, taught with a data set.

Both give log-probabilities over their labels, so that they can be measured and combined in the same way. Each call of a
network runs on one core; parallel calls use the others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.fewshot.builder import build_head
from haleganada_server.core.fewshot.head import Head
from haleganada_server.core.fewshot.posterior import compute_posterior
from haleganada_server.core.model_names import FEW_SHOT
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.ensemble import to_logs
from haleganada_server.core.models.files import model_sha256, read_card
from haleganada_server.runtime.classifier import OnnxClassifier
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.weights import Weights, load_weights
from haleganada_server.vision import model_input

Rasters = NDArray[np.uint8]  # (n, 64, 64), 255 = ink on 0
Floats = NDArray[np.float32]

MICRO_BATCH = 8  # drawings per call of a network; more are hardly faster
_TIMED, _TIMED_SECONDS = 50, 3.0  # the most drawings that are timed, and about how long at most


class Recognizer(Protocol):
    """Anything that recognizes a data set's rasters. model_id, name: as in the request. sha256: as in lists of models.
    facts: further JSON values for the report.
    """

    @property
    def model_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def facts(self) -> dict[str, Any]: ...

    def log_probabilities(self, rasters: Rasters) -> Floats:
        """(n, 64, 64), n >= 1 -> (n, labels). Safe to call from several threads."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """The model.onnx of a model's folder."""

    model_id: str
    name: str
    card: ModelCard
    classifier: OnnxClassifier

    @classmethod
    def load(cls, model_id: str, name: str, folder: Path) -> TrainedModel:
        """Load a model. Raises DataLoss, reason MODEL_DAMAGED, if the folder cannot be used."""
        card = read_card(folder, name)
        return cls(model_id, name, card, OnnxClassifier(folder, card, model_input, threads=1))

    @property
    def sha256(self) -> str:
        return model_sha256(self.card)

    @property
    def labels(self) -> tuple[str, ...]:
        return self.card.labels

    @property
    def facts(self) -> dict[str, Any]:
        card = self.card
        trained_on = {"name": card.dataset_name, "sha256": card.dataset_sha256}
        return {"preset": card.preset, "parameters": card.parameters, "trained_on": trained_on}

    def log_probabilities(self, rasters: Rasters) -> Floats:
        """See Recognizer."""
        among, unknown = self.classifier.classify(rasters)
        return to_logs(among * (1 - unknown)[:, None]).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FewShot:
    """The shipped embedder with a head that was taught with a data set's training part.

    As in the product, its log-probabilities leave “unknown” out, whose probability lowers those of all labels; so do
    those of a TrainedModel that can reject.
    """

    head: Head
    weights: Weights
    embedder: OnnxEmbedder
    taught: dict[str, Any] = field(default_factory=dict)
    model_id: str = FEW_SHOT
    name: str = FEW_SHOT

    @classmethod
    def teach(cls, folder: Path, batches: Iterator[tuple[Rasters, list[str]]]) -> FewShot:
        """folder: of the weights. batches: rasters with their labels, at least one drawing in all."""
        weights = load_weights(folder)
        embedder = OnnxEmbedder(weights, lambda rasters: model_input(rasters, weights.side))
        projection, vectors, labels = weights.head_parameters.projection, [], []
        for rasters, texts in batches:
            vectors.append(projection.project(embedder.embed(rasters)))
            labels += texts
        head = build_head(projection.between, labels, np.concatenate(vectors)).adapt()
        single_threaded = OnnxEmbedder(weights, lambda rasters: model_input(rasters, weights.side), threads=1)
        return cls(head=head, weights=weights, embedder=single_threaded, taught=_count_taught(head))

    @property
    def labels(self) -> tuple[str, ...]:
        return self.head.labels

    @property
    def sha256(self) -> str:
        return self.weights.hash

    @property
    def facts(self) -> dict[str, Any]:
        return {"preset": self.weights.name, "taught": self.taught}

    def log_probabilities(self, rasters: Rasters) -> Floats:
        """See Recognizer."""
        parameters = self.weights.head_parameters
        vectors = parameters.projection.project(self.embedder.embed(rasters))
        posteriors = [
            compute_posterior(self.head, parameters.calibration, vector).probabilities[:-1] for vector in vectors
        ]
        return to_logs(np.stack(posteriors)).astype(np.float32)


def _count_taught(head: Head) -> dict[str, Any]:
    counts = head.counts
    per_label = {"fewest": int(counts.min()), "median": float(np.median(counts)), "most": int(counts.max())}
    return {"drawings": int(counts.sum()), "labels": len(counts), **per_label}


def measure_latency_ms(recognizer: Recognizer, rasters: Rasters) -> float:
    """Return the median time in ms for one drawing at a time, on one core."""
    recognizer.log_probabilities(rasters[:1])  # the first call of a session allocates
    times: list[float] = []
    for i in range(min(_TIMED, len(rasters))):
        start = time.perf_counter()
        recognizer.log_probabilities(rasters[i : i + 1])
        times.append(time.perf_counter() - start)
        if sum(times) > _TIMED_SECONDS:
            break
    return 1000 * float(np.median(times))
