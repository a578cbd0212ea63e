"""Damages files of a data directory and counts what follows."""
