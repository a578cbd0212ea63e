"""What all workspaces of a server share."""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.core.fewshot.belief import Model
from haleganada_server.core.glyphs.encoder import DrawingReader
from haleganada_server.core.models.models import Models
from haleganada_server.core.online.learners import Learners

from .ports import WorkspaceDirectory


@dataclass(frozen=True, slots=True, eq=False)
class Tools:
    """The rooms around them, and what came with the weights."""

    directory: WorkspaceDirectory
    reader: DrawingReader
    model: Model
    models: Models
    learners: Learners
