"""Training the embedder: data synthesis, the loop, the head, calibration and export. Needs the `train` extra."""
