"""Measuring trained models, the few-shot head, and their ensemble on a data set. Runs without torch."""

from __future__ import annotations

from .run import run_evaluation

__all__ = ["run_evaluation"]
