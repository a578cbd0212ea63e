"""Drawings: what callers send, how they are encoded to ink rasters and embeddings, and how they are stored."""
