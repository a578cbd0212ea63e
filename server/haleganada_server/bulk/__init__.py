"""Bulk work: many pictures or pages at once, on Ray Data, with the recognizer and the reader of the server."""
