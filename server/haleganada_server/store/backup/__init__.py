"""Copies of a whole data directory, also while a server uses it; a copy is a data directory itself."""
