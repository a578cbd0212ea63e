"""Moves what was taught from a data directory to a database, and back, workspace by workspace."""
