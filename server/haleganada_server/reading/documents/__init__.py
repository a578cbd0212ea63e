"""Opens files of all kinds as documents with numbered pages.

What a file is, its content tells; its name is never looked at. Whatever is wrong with it becomes a clear error, in
bounded time and memory: sizes are read from headers and checked before anything is decoded or drawn.
"""

from .document import Document
from .open import open_document

__all__ = ["Document", "open_document"]
