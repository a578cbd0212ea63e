"""The command line. Commands are imported when they are called, so that `haleganada --help` is quick."""

from __future__ import annotations

from .root import main

__all__ = ["main"]
