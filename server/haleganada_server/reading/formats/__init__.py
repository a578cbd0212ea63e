"""Writes readings as files, one format in each file, and imports those that were made elsewhere.

A reading is written page by page, so that a document of thousands of pages needs no more memory than a short one.
"""

from .export import export_reading
from .imports import import_words

__all__ = ["export_reading", "import_words"]
