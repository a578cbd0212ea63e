"""Programs that read text, each in one file, behind one port. A new one is a new file and a line in registry.py."""

from __future__ import annotations

from .registry import ENGINES, MOST_LANGUAGES, find_engine, list_engines

__all__ = ["ENGINES", "MOST_LANGUAGES", "find_engine", "list_engines"]
