"""What all workspaces of a server share."""

from __future__ import annotations

from dataclasses import dataclass

from .belief import Model
from .drawings import DrawingReader
from .learners import Learners
from .models import Models
from .ports import WorkspaceDirectory


@dataclass(frozen=True, slots=True, eq=False)
class Tools:
    """The rooms around them, and what came with the weights."""

    directory: WorkspaceDirectory
    reader: DrawingReader
    model: Model
    models: Models
    learners: Learners
