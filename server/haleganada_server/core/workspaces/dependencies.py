"""What all workspaces of a server share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.models.models import Models
from haleganada_server.core.online.learners import Learners
from haleganada_server.core.shares.quotas import UNLIMITED, WorkspaceQuotas

from .loading import KnowledgeLoader
from .ports import WorkspaceDirectory
from .prediction_memory import OtherMemories, PredictionMemory
from .snapshots.retention import Retention
from .snapshots.schedule import Schedule

DEFAULT_MEMORY_BUDGET = 224 * 2**20


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WorkspaceDependencies:
    """What a workspace works with besides its own log. memory_budget: bytes for all workspaces that are loaded.
    find_quotas: returns those of a workspace by its name. max_workspaces: how many there may be, None = no limit.
    others: what other servers remember, None = there are none.
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
    find_quotas: Callable[[str], WorkspaceQuotas] = lambda _name: UNLIMITED
    max_workspaces: int | None = None
    others: OtherMemories | None = None

    def make_loader(self) -> KnowledgeLoader:
        """Return a visitor for a log that is about to be opened."""
        return KnowledgeLoader(self.encoder.embedder_hash, self.head_parameters)
