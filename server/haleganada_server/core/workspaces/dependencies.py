"""What all workspaces of a server share."""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.models.models import Models
from haleganada_server.core.online.learners import Learners

from .ports import WorkspaceDirectory


@dataclass(frozen=True, slots=True, eq=False)
class WorkspaceDependencies:
    """What a workspace works with besides its own log."""

    directory: WorkspaceDirectory
    encoder: GlyphEncoder
    head_parameters: HeadParameters
    models: Models
    learners: Learners
