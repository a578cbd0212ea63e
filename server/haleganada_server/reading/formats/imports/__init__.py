"""Imports readings that were made elsewhere: a zip in the layout of the IAM handwriting database.

word_list.py reads words.txt, layout.py decides where the words of a page stand, and zipped_words.py puts both together
with the pictures. Nothing is unpacked under a name from the zip.
"""

from .zipped_words import import_words

__all__ = ["import_words"]
