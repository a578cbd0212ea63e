"""Pretraining of the embedder: from open data to shipped weights."""
