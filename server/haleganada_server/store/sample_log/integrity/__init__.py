"""Checksums of rows: how they are computed, compared, added to old files, and what to do where they do not match."""
