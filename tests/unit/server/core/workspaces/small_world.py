"""Workspaces on a real data directory, with an embedder small enough to test thousands of changes in seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from haleganada_server.core.fewshot.confidence import Calibration
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.fewshot.projection import Projection
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.glyphs.ports import Embedder
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.core.knowledge.prediction import Prediction
from haleganada_server.core.models.models import Models
from haleganada_server.core.online.learner import LearnerDependencies
from haleganada_server.core.online.learners import Learners
from haleganada_server.core.workspaces.dependencies import WorkspaceDependencies
from haleganada_server.core.workspaces.ports import WorkspaceDirectory
from haleganada_server.core.workspaces.types import Lesson
from haleganada_server.core.workspaces.workspace import Workspace
from haleganada_server.core.workspaces.workspaces import Workspaces
from haleganada_server.runtime.classifier import OnnxClassifier
from haleganada_server.runtime.processes.learner_process import LearnerProcessRunner
from haleganada_server.store import DataDirectory
from haleganada_server.store.learners import LearnerFolders
from haleganada_server.store.models import ModelFolders
from haleganada_server.vision import PillowRasterizer, dataset_raster, model_input, network_input
from numpy.typing import NDArray

SIDE = 8
DIM = SIDE * SIDE
HEAD_PARAMETERS = HeadParameters(Projection(np.zeros(DIM), 6 * np.eye(DIM), np.full(DIM, 0.5)), Calibration())


@dataclass(frozen=True)
class CoarseEmbedder:
    """Embeds a drawing as its 8 x 8 px, with unit length. seed: other “weights” give other vectors."""

    seed: int = 0

    @property
    def hash(self) -> str:
        return hashlib.sha256(str(self.seed).encode()).hexdigest()

    @property
    def device(self) -> str:
        return "test"

    def embed(self, rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        order = np.random.default_rng(self.seed).permutation(DIM)
        pixels = network_input(rasters, SIDE).reshape(len(rasters), DIM)[:, order]
        # One by one, as the product's embedder does: a sum over more rows may round differently.
        return np.array([row / np.linalg.norm(row) for row in pixels], dtype=np.float32)


def open_workspaces(
    folder: Path,
    seed: int = 0,
    embedder: Embedder | None = None,
    directory: WorkspaceDirectory | None = None,
    **settings: Any,
) -> Workspaces:
    """Open all workspaces below a folder, or those of another directory, with a CoarseEmbedder or the given embedder.
    The caller closes them. settings: further dependencies.
    """
    rasterizer = PillowRasterizer()
    directory = directory or DataDirectory(folder, rasterizer)
    encoder = GlyphEncoder(rasterizer, embedder or CoarseEmbedder(seed))
    return Workspaces(make_dependencies(directory, encoder, folder, **settings))


def make_dependencies(
    directory: WorkspaceDirectory, encoder: GlyphEncoder, folder: Path, **settings: Any
) -> WorkspaceDependencies:
    """Return what the workspaces of a data directory share. settings: further fields."""
    learners = Learners(
        LearnerDependencies(LearnerProcessRunner(), encoder, dataset_raster),
        LearnerFolders(folder / "online"),
        lambda _start: None,
    )
    return WorkspaceDependencies(
        directory=directory,
        encoder=encoder,
        head_parameters=HEAD_PARAMETERS,
        models=models_of(directory, folder),
        learners=learners,
        **settings,
    )


def models_of(directory: WorkspaceDirectory, folder: Path) -> Models:
    """Return the trained models of a data directory that is open."""
    return Models(
        ModelFolders(folder / "models", directory.temporary_file), partial(OnnxClassifier, to_input=model_input)
    )


def drawing(character: int, hand: int) -> Glyph:
    """Return a character as one hand draws it: six corners, moved a little."""
    corners = np.random.default_rng(character).uniform(40, 240, (6, 2))
    moved = corners + np.random.default_rng((character, hand)).normal(0, 6, (6, 2))
    return Glyph(ink=Ink((Stroke(tuple(moved[:, 0]), tuple(moved[:, 1])),), 280, 280, 12))


def lesson(character: int, hand: int = 0, label: str = "", **facts: str) -> Lesson:
    """Return a lesson of drawing(character, hand) as `label`, by default one of the character's own."""
    return Lesson(drawing(character, hand), label or f"L{character}", **facts)  # type: ignore[arg-type]


def posteriors(workspace: Workspace, characters: int = 6) -> dict[str, list[float]]:
    """Return every label's probability for each of some unseen drawings: all that users see of an adapted head."""
    answers: list[Prediction] = []
    revision = workspace.knowledge.revision
    for character in range(characters):
        answers.append(workspace.predict(drawing(character, 99), top_k=50, min_revision=revision))
    labels = sorted({candidate.label for answer in answers for candidate in answer.candidates})
    table = {label: [_probability(answer, label) for answer in answers] for label in labels}
    table["(unknown)"] = [answer.unknown_probability for answer in answers]
    return table


def _probability(answer: Prediction, label: str) -> float:
    return next((c.probability for c in answer.candidates if c.label == label), -1.0)


def assert_same_posteriors(one: dict[str, list[float]], other: dict[str, list[float]]) -> None:
    """Assert equality to 1e-9."""
    assert one.keys() == other.keys()
    for label in one:
        np.testing.assert_allclose(one[label], other[label], atol=1e-9, rtol=0)
