"""What all workspaces of a server share."""

from __future__ import annotations

from dataclasses import dataclass, field

from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.models.models import Models
from haleganada_server.core.online.learners import Learners
from haleganada_server.core.shares.quotas import WorkspaceQuotas

from .loading import KnowledgeLoader
from .ports import WorkspaceDirectory
from .prediction_memory import PredictionMemory
from .snapshots.retention import Retention
from .snapshots.schedule import Schedule

DEFAULT_MEMORY_BUDGET = 224 * 2**20


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WorkspaceDependencies:
    """What a workspace works with besides its own log. memory_budget: bytes for all workspaces that are loaded. quotas:
    of each workspace. max_workspaces: how many there may be, None = no limit.
    """

    directory: WorkspaceDirectory
    encoder: GlyphEncoder
    head_parameters: HeadParameters
    models: Models
    learners: Learners
    retention: Retention = field(default_factory=Retention)
    schedule: Schedule = field(default_factory=Schedule)
    predictions: PredictionMemory = field(default_factory=PredictionMemory)
    memory_budget: int = DEFAULT_MEMORY_BUDGET
    quotas: WorkspaceQuotas = field(default_factory=WorkspaceQuotas)
    max_workspaces: int | None = None

    def make_loader(self) -> KnowledgeLoader:
        """Return a visitor for a log that is about to be opened."""
        return KnowledgeLoader(self.encoder.embedder_hash, self.head_parameters)
