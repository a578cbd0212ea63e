"""Reads documents, in worker processes beside the server: nothing of this is imported by the server itself.

The way of a page: documents/ opens the file and draws the page, preparation/ makes it upright and even, engines/ find
and read its lines, page_reader.py puts them together in reading order; formats/ writes readings as files.
"""
