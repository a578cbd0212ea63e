"""Drawings: what callers send, how they are encoded as ink rasters and embeddings, and how they are stored."""
