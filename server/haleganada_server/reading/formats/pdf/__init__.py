"""Searchable PDF: the document as it looks, with the text that was read behind it.

A PDF stays as it is, and a picture becomes a page; text_layer.py then puts the words, invisible, where they stand. So
that no word is found twice, old_text.py removes an invisible text that was read anew, stamps.py tells which words a
scan shows as text, and a page that shows all its text becomes a picture if it was read anew.
"""

from .searchable import write

__all__ = ["write"]
