"""Programs that read text, each in one file, behind one port. A new one is a new file and a line in registry.py."""

from __future__ import annotations

from .registry import ENGINES, find_engine, list_engines

__all__ = ["ENGINES", "find_engine", "list_engines"]
