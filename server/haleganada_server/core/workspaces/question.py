"""What is asked about drawings."""

from __future__ import annotations

from dataclasses import dataclass

ModelChoice = str | tuple[str, ...]
"""One model, or 2 to 8 that answer together. "": the workspace's active model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """How drawings are to be recognized. top_k: candidates at most. min_revision: the earliest revision that may
    answer. model: what answers. script_labels: how many letters the script has, taught or not; 0: not known.
    """

    top_k: int = 5
    min_revision: int | None = None
    model: ModelChoice = ""
    script_labels: int = 0
